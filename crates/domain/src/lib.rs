//! What a token is and what it may do.
//!
//! Everything here is pure: no I/O, no clock, no environment, no randomness of its own. Time arrives as a
//! [`time::Timestamp`], chance as an [`Entropy`]. The other crates ask this one; it asks nobody.
//!
//! Start at [`token`] for the format and what is stored of it, at [`verdict`] for the one function that says
//! what is allowed, and at [`limits`] for every maximum of the product.
#![warn(missing_docs)]

pub mod access_token;
pub mod audit;
pub mod id;
pub mod limits;
pub mod member;
pub mod name;
pub mod network;
pub mod organization;
pub mod permission;
pub mod role;
pub mod time;
pub mod token;
pub mod verdict;

/// A source of unpredictable bytes. The server has one over the operating system and one that is seeded, so
/// that tests are exact.
pub trait Entropy {
    /// Fills `bytes` from the source.
    fn fill(&self, bytes: &mut [u8]);
}
