//! The engine from outside: what goes in, and what is answered.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod model;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod threads;
#[cfg(test)]
mod verdicts;
#[cfg(test)]
mod world;
