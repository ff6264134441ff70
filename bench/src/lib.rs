//! What both benches stand on: a deployment of believable shape, time, chance and statistics.

pub mod measure;
pub mod people;
