//! Organizations, people, roles and the catalogue, as they are written.

use crate::{FeedKey, Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    member::{Membership, User},
    name::{Email, fold_search},
    organization::{Organization, Standing},
    permission::CatalogueEntry,
    time::Timestamp,
};

/// A person who can sign in.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The person.
    pub user: User,
    /// Their password, hashed by argon2id, as a PHC string; without one they cannot sign in with a password.
    pub password_hash: Option<String>,
}

/// What a sign-in is checked against.
#[derive(Clone)]
pub struct SignInRecord {
    /// The person.
    pub user: User,
    /// Their password's hash, if they have one.
    pub password_hash: Option<String>,
}

impl std::fmt::Debug for SignInRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInRecord")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

type SignInRow = (Vec<u8>, String, String, String, Option<String>);

fn sign_in_record(
    (id, email, name, standing, password_hash): SignInRow,
) -> Result<SignInRecord, StoreError> {
    let user = User {
        id: rows::id(&id, UserId::from_bytes)?,
        email: rows::email(&email)?,
        name: rows::display_name(&name)?,
        standing: Standing::from_word(&standing),
    };
    Ok(SignInRecord {
        user,
        password_hash,
    })
}

impl Store {
    /// How many people there are; none means that the deployment is not set up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        let count: i64 =
            on!(&self.read, pool => sqlx::query_scalar(sql::USERS_COUNT).fetch_one(pool).await?);
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The account with this address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_sign_in(&self, email: &Email) -> Result<Option<SignInRecord>, StoreError> {
        let found: Option<SignInRow> = on!(&self.read, pool => sqlx::query_as(sql::USER_BY_EMAIL).bind(email.key()).fetch_optional(pool).await?);
        found.map(sign_in_record).transpose()
    }

    /// The account of this user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_sign_in_of(&self, user: UserId) -> Result<Option<SignInRecord>, StoreError> {
        let found: Option<SignInRow> = on!(&self.read, pool => sqlx::query_as(sql::USER_BY_ID_WITH_PASSWORD).bind(&user.bytes()[..]).fetch_optional(pool).await?);
        found.map(sign_in_record).transpose()
    }

    /// Folds the names that were written before names were folded, so that they are found. Once they are, there are
    /// none.
    pub(crate) async fn fold_names(&self) -> Result<(), StoreError> {
        for (unfolded, fold) in [
            (sql::ORGANIZATIONS_UNFOLDED, sql::ORGANIZATION_FOLD),
            (sql::USERS_UNFOLDED, sql::USER_FOLD),
        ] {
            let found: Vec<(Vec<u8>, String)> =
                on!(&self.write, pool => sqlx::query_as(unfolded).fetch_all(pool).await?);
            if found.is_empty() {
                continue;
            }
            let mut tx = self.begin().await?;
            for (id, name) in found {
                execute!(tx, fold, id, fold_search(&name));
            }
            tx.commit(&[]).await?;
        }
        Ok(())
    }

    /// The proof of each pepper that was ever in use, by its name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pepper_proofs(&self) -> Result<Vec<(String, [u8; 32])>, StoreError> {
        let found: Vec<(String, Vec<u8>)> =
            on!(&self.read, pool => sqlx::query_as(sql::PEPPERS).fetch_all(pool).await?);
        found
            .into_iter()
            .map(|(id, proof)| Ok((id, *rows::digest(&proof)?.bytes())))
            .collect()
    }
}

impl Tx {
    /// Writes the proof of a pepper, unless it is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_pepper(&mut self, id: &str, proof: &[u8; 32]) -> Result<(), StoreError> {
        execute!(self, sql::PEPPER_INSERT, id, &proof[..]);
        Ok(())
    }

    /// Whether there is nobody yet. Asked inside the transaction that sets up, and answered for good: the
    /// counter's row is held, so that of two set-ups at once the second sees the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_empty_and_held(&mut self) -> Result<bool, StoreError> {
        let _: i64 =
            on!(&mut self.on, tx => sqlx::query_scalar(sql::HEAD_HOLD).fetch_one(&mut **tx).await?);
        let count: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::USERS_COUNT).fetch_one(&mut **tx).await?);
        Ok(count == 0)
    }

    /// Adds an organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_organization(
        &mut self,
        organization: &Organization,
        now: Timestamp,
    ) -> Result<FeedKey, StoreError> {
        execute!(
            self,
            sql::ORGANIZATION_INSERT,
            &organization.id.bytes()[..],
            organization.name.as_str(),
            organization.name.key(),
            organization.standing.word(),
            organization.host,
            now.micros()
        );
        Ok(FeedKey::Organization(organization.id))
    }

    /// Changes an organization's standing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_organization_standing(
        &mut self,
        id: OrganizationId,
        standing: Standing,
    ) -> Result<FeedKey, StoreError> {
        execute!(
            self,
            sql::ORGANIZATION_STANDING,
            &id.bytes()[..],
            standing.word()
        );
        Ok(FeedKey::Organization(id))
    }

    /// Adds a person. `None` when the address is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_user(
        &mut self,
        account: &NewAccount,
        now: Timestamp,
    ) -> Result<Option<FeedKey>, StoreError> {
        let user = &account.user;
        let added = execute!(
            self,
            sql::USER_INSERT,
            &user.id.bytes()[..],
            user.email.as_str(),
            user.email.key(),
            user.name.as_str(),
            user.name.key(),
            account.password_hash.as_deref(),
            user.standing.word(),
            now.micros(),
        );
        Ok((added == 1).then_some(FeedKey::User(user.id)))
    }

    /// Changes a user's standing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_user_standing(
        &mut self,
        id: UserId,
        standing: Standing,
    ) -> Result<FeedKey, StoreError> {
        execute!(self, sql::USER_STANDING, &id.bytes()[..], standing.word());
        Ok(FeedKey::User(id))
    }

    /// Replaces a user's password hash.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StoreError> {
        execute!(self, sql::USER_PASSWORD, &id.bytes()[..], hash);
        Ok(())
    }

    /// Adds or changes a membership.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_membership(
        &mut self,
        membership: &Membership,
        now: Timestamp,
    ) -> Result<FeedKey, StoreError> {
        execute!(
            self,
            sql::MEMBERSHIP_UPSERT,
            &membership.organization.bytes()[..],
            &membership.user.bytes()[..],
            &membership.role.bytes()[..],
            membership.standing.word(),
            membership.may_have_tokens,
            now.micros(),
        );
        Ok(FeedKey::Membership(
            membership.organization,
            membership.user,
        ))
    }

    /// Removes a membership.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_membership(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<FeedKey, StoreError> {
        execute!(
            self,
            sql::MEMBERSHIP_DELETE,
            &organization.bytes()[..],
            &user.bytes()[..]
        );
        Ok(FeedKey::Membership(organization, user))
    }

    /// Makes the catalogue exactly `entries`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_catalogue(
        &mut self,
        before: &[CatalogueEntry],
        entries: &[CatalogueEntry],
    ) -> Result<FeedKey, StoreError> {
        for gone in before
            .iter()
            .filter(|old| !entries.iter().any(|new| new.permission == old.permission))
        {
            execute!(self, sql::CATALOGUE_DELETE, gone.permission.as_str());
        }
        for entry in entries.iter().filter(|new| !before.contains(new)) {
            execute!(
                self,
                sql::CATALOGUE_UPSERT,
                entry.permission.as_str(),
                entry.description.as_str(),
                entry.risk.word(),
                entry.source.word()
            );
        }
        Ok(FeedKey::Catalogue)
    }
}
