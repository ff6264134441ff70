//! The texts of new tokens and keys: drawn, and turned into what is stored.

use super::Services;
use crate::error::ServiceError;
use hallpass_domain::{
    Entropy,
    limits::PREFIX_DRAWS_MAX,
    token::{BcryptHash, Kind, PlainToken, Scheme},
};
use hallpass_store::Stored;

/// The draws for one token. A prefix that is taken takes another draw, up to a limit.
#[derive(Debug)]
pub(super) struct Draws {
    kind: Kind,
    left: u32,
}

impl Draws {
    pub(super) const fn of(kind: Kind) -> Self {
        Self {
            kind,
            left: PREFIX_DRAWS_MAX,
        }
    }
}

impl Services {
    /// Draws a secret. Before the transaction: a slow hash must not hold the writer.
    pub(super) async fn draw(
        &self,
        draws: &mut Draws,
    ) -> Result<(PlainToken, Stored), ServiceError> {
        draws.left = draws.left.checked_sub(1).ok_or_else(|| {
            ServiceError::Internal(format!("{PREFIX_DRAWS_MAX} prefixes in a row were taken"))
        })?;
        let secret = PlainToken::generate(self.brand, draws.kind, &self.entropy);
        let stored = self.stored_form(&secret).await?;
        Ok((secret, stored))
    }

    async fn stored_form(&self, secret: &PlainToken) -> Result<Stored, ServiceError> {
        match self.scheme {
            Scheme::HmacSha256 => {
                let pepper = self.peppers.current();
                Ok(Stored::Digest(pepper.digest(secret), pepper.id().clone()))
            }
            Scheme::Bcrypt => {
                let mut salt = [0; 16];
                self.entropy.fill(&mut salt);
                let secret = secret.clone();
                let hash = self
                    .comparisons
                    .run(move || BcryptHash::of(&secret, salt))
                    .await?;
                hash.map(Stored::Bcrypt)
                    .ok_or_else(|| ServiceError::Internal("bcrypt failed".to_owned()))
            }
        }
    }
}
