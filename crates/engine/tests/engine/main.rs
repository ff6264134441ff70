//! The engine from outside: what goes in, and what is answered.

mod changes;
mod model;
mod slow;
mod threads;
mod verdicts;
mod world;
