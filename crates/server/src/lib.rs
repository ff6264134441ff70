//! The services and every door over them: REST, pages, gateway, operations.

pub mod app;
pub mod caller;
pub mod clock;
pub mod config;
pub mod cookies;
pub mod credentials;
pub mod demo;
pub mod entropy;
pub mod error;
pub mod gateway;
pub mod http;
pub mod jobs;
pub mod listen;
pub mod observe;
pub mod operations;
pub mod pages;
pub mod peppers;
pub mod problem;
pub mod rest;
pub mod run;
pub mod service;
pub mod tls;
