//! Every live token in memory: verification, change, and the notes of use.
//!
//! Start at [`Engine`]. [`verify`] holds the question and its answer, [`view`] what is shown of a token, [`change`] what goes in, [`uses`] what
//! comes out. Inside, `line` is a token in one cache line and the rules by which it changes under its
//! readers; `table` finds lines by digest; `index` finds them by id, for the writer; `directory` holds users,
//! memberships, roles and organizations (`entity`, `bearer`); `record`, `arena`, `slab` and `sparse` are where the rest
//! is kept;
//! `joined` keeps permissions as the texts that gateways pass on.
//!
//! There is no clock here, no SQL, no HTTP and no unsafe code: shared memory is atomics and nothing else.
#![warn(missing_docs)]

mod arena;
mod bearer;
pub mod change;
mod compact;
mod directory;
mod engine;
mod entity;
mod index;
mod joined;
mod line;
mod record;
mod shared;
mod sizes;
mod slab;
mod sparse;
mod table;
pub mod uses;
pub mod verify;
pub mod view;

pub use change::{ApplyError, Change, OrganizationRules, Owner, Stored, TokenRecord};
pub use engine::Engine;
pub use sizes::Sizes;
pub use uses::{Fold, Kept, Outcome, UseNote, UseRow, Uses};
pub use verify::{Answer, SlowCandidate};
pub use view::{Name, OwnerView, TokenView};
