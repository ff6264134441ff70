//! The use cases. No HTTP here: every door asks the same functions.

pub mod access_tokens;
pub mod acting;
pub mod api_keys;
pub mod audit;
pub mod catalogue;
pub mod due;
pub mod explain;
pub mod follower;
pub mod gate;
pub mod inventory;
pub mod invitations;
mod inviter;
pub mod key_rotation;
pub mod members;
pub mod organizations;
pub mod passwords;
pub mod permissions;
pub mod policy;
pub mod policy_losses;
pub mod presented;
pub mod refusals;
pub mod revocations;
pub mod roles;
mod secrets;
pub mod sessions;
pub mod set_up;
pub mod sign_in;
pub mod suspensions;
pub mod throttle;
pub mod token_change;
pub mod token_creation;
pub mod use_log;
pub mod users;
pub mod verification;
mod wishes;

use crate::{clock::Clock, entropy::SystemEntropy, observe::Metrics};
use follower::Follower;
use gate::Gate;
use hallpass_domain::{
    id::{SessionId, TokenId},
    limits::{BCRYPT_COMPARISONS_AT_ONCE_MAX, BCRYPT_COMPARISONS_WAITING_MAX},
    member::{Membership, User},
    organization::Organization,
    permission::PermissionSet,
    role::Role,
    time::Timestamp,
    token::{Brand, Peppers, Scheme},
};
use hallpass_engine::{Engine, Uses};
use hallpass_store::Store;
use passwords::Passwords;
use presented::Presented;
use refusals::Refusals;
use set_up::SetUpCode;
use std::{net::IpAddr, sync::Arc};
use throttle::Throttle;
use verification::Redigests;

/// Everything the use cases stand on.
#[derive(Debug)]
pub struct Services {
    /// What is lasting.
    pub store: Store,
    /// Every live token in memory.
    pub engine: Engine,
    /// What keeps the engine up to date with the store.
    pub follower: Follower,
    /// Notes of use that wait to be written.
    pub uses: Uses,
    /// The keys that never enter the store.
    pub peppers: Peppers,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub entropy: SystemEntropy,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Password hashes, few at a time.
    pub passwords: Passwords,
    /// Failed sign-ins.
    pub throttle: Throttle,
    /// bcrypt comparisons, few at a time.
    pub comparisons: Gate,
    /// Tokens met under a retired pepper.
    pub redigests: Redigests,
    /// The one-time set-up code, as long as there is nobody.
    pub set_up_code: SetUpCode,
    /// The first two characters of every token.
    pub brand: Brand,
    /// How new tokens are recognized.
    pub scheme: Scheme,
    /// Refused attempts that were written down lately.
    pub refusals: Refusals,
}

/// What the services are made of.
#[derive(Debug)]
pub struct Parts {
    /// What is lasting.
    pub store: Store,
    /// The keys that never enter the store.
    pub peppers: Peppers,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub entropy: SystemEntropy,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The first two characters of every token.
    pub brand: Brand,
    /// How new tokens are recognized.
    pub scheme: Scheme,
}

impl Services {
    /// The services over `parts`, with every live token loaded. They answer from now on.
    ///
    /// # Errors
    /// The store's.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, hallpass_store::StoreError> {
        let Parts {
            store,
            peppers,
            clock,
            entropy,
            metrics,
            brand,
            scheme,
        } = parts;
        if !store.seal_audit_start(&peppers).await? {
            tracing::error!("the end of the audit is not as it was written; verify the audit");
        }
        let engine =
            Engine::with_capacity(usize::try_from(store.count_tokens().await?).unwrap_or(0));
        let follower = Follower::load(&store, &engine, clock.now()).await?;
        engine.set_answering(true);
        let set_up_code = SetUpCode::draw(&entropy, clock.now());
        let passwords = Passwords::new(&entropy);
        Ok(Arc::new(Self {
            store,
            engine,
            follower,
            uses: Uses::new(std::thread::available_parallelism().map_or(1, usize::from)),
            peppers,
            clock,
            entropy,
            metrics,
            passwords,
            throttle: Throttle::default(),
            comparisons: Gate::new(
                BCRYPT_COMPARISONS_AT_ONCE_MAX,
                BCRYPT_COMPARISONS_WAITING_MAX,
            ),
            redigests: Redigests::default(),
            set_up_code,
            brand,
            scheme,
            refusals: Refusals::default(),
        }))
    }
}

/// What a request tells of itself.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    /// The client's address, as far as it can be trusted.
    pub address: Option<IpAddr>,
    /// Its `User-Agent`, cut and cleaned.
    pub agent: Option<String>,
}

impl RequestContext {
    fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}

/// A person who is asking, in the organization in force, with what they may do now.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who.
    pub user: User,
    /// Where.
    pub organization: Organization,
    /// What they are there.
    pub membership: Membership,
    /// Their role.
    pub role: Role,
    /// What the role holds now, one by one.
    pub permissions: PermissionSet,
    /// How they prove it.
    pub via: Via,
}

/// How a person proves who they are.
#[derive(Clone, Debug)]
pub enum Via {
    /// A session.
    Session {
        /// Its id.
        id: SessionId,
        /// When the person last proved to be present.
        signed_in_at: Timestamp,
    },
    /// A token that may manage its owner's tokens.
    Token {
        /// Its id.
        id: TokenId,
        /// What it was asked for and held when it came.
        presented: Box<Presented>,
    },
    /// Nothing: nobody is there, and it is asked what they could do in a session. Changes nothing.
    Nothing,
}

impl Person {
    /// The token that is asking, if it is one.
    pub const fn token(&self) -> Option<TokenId> {
        match &self.via {
            Via::Token { id, .. } => Some(*id),
            Via::Session { .. } | Via::Nothing => None,
        }
    }
}
