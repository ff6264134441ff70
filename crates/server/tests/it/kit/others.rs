//! Others than Acme's people and their own tokens: another organization, keys, policy.

use super::{Actor, Server, Token, wish};
use hallpass_domain::{
    access_token::Expiration,
    api_key::{ApiKey, Overlap},
    id::{OrganizationId, TokenId, UserId},
    member::{Membership, User},
    name::{DisplayName, Email, TokenName},
    organization::{Organization, Standing},
    permission::PermissionSet,
    policy::Policy,
    role::BuiltInRole,
    token::{Brand, Kind, PlainToken},
};
use hallpass_server::service::RequestContext;
use hallpass_store::{FeedKey, KeyInserted, NewAccount, NewKey, NewSecret, Rotated, Stored};

/// Another organization, with Eve as its superuser and a token of hers.
pub(crate) struct Other {
    pub(crate) id: OrganizationId,
    pub(crate) eve: Actor,
    pub(crate) eve_id: UserId,
    pub(crate) token: Token,
}

impl Server {
    pub(crate) async fn other(&self) -> Other {
        let (services, now) = (&self.services, self.services.clock.now());
        let ada = services.store.find_sign_in_of(self.ada_id).await.unwrap();
        let organization = Organization {
            id: OrganizationId::generate(&services.entropy, now),
            name: DisplayName::parse("Other Works").unwrap(),
            standing: Standing::Active,
            host: false,
        };
        let user = User {
            id: UserId::generate(&services.entropy, now),
            email: Email::parse("eve@other.example").unwrap(),
            name: DisplayName::parse("Eve").unwrap(),
            standing: Standing::Active,
        };
        let account = NewAccount {
            user: user.clone(),
            password_hash: ada.unwrap().password_hash,
        };
        let membership = Membership {
            organization: organization.id,
            user: user.id,
            role: BuiltInRole::Superuser.id(),
            standing: Standing::Active,
            may_have_tokens: true,
        };
        self.change(async |tx| {
            vec![
                tx.insert_organization(&organization, now).await.unwrap(),
                tx.insert_user(&account, now).await.unwrap().unwrap(),
                tx.put_membership(&membership, now).await.unwrap(),
            ]
        })
        .await;
        let started = services
            .begin_session(&user, organization.id, &RequestContext::default())
            .await
            .unwrap();
        let eve = self.anon().signed_in(&self.app, &started);
        let token = eve.token(wish("eves")).await;
        Other {
            id: organization.id,
            eve,
            eve_id: user.id,
            token,
        }
    }

    /// An API key of Acme.
    pub(crate) async fn key_of(&self, name: &str, role: BuiltInRole) -> Token {
        let (services, now) = (&self.services, self.services.clock.now());
        let secret = PlainToken::generate(Brand::DEFAULT, Kind::ApiKey, &services.entropy);
        let pepper = services.peppers.current();
        let role = services.store.find_role(role.id()).await.unwrap().unwrap();
        let key = ApiKey {
            id: TokenId::generate(&services.entropy, now),
            organization: self.organization,
            role: role.id,
            name: TokenName::parse(name).unwrap(),
            scope: None,
            created: now,
            valid_from: None,
            expiration: Expiration::Never,
            never_expires_acknowledged: true,
            revoked: None,
            suspension: None,
            address_rules: None,
            maker_user: Some(self.ada_id),
            maker_token: None,
            secrets: Vec::new(),
        };
        self.change(async |tx| {
            let new = NewKey {
                key: &key,
                role: &role,
                prefix: secret.prefix(),
                stored: &Stored::Digest(pepper.digest(&secret), pepper.id().clone()),
            };
            assert_eq!(tx.insert_key(&new).await.unwrap(), KeyInserted::Done);
            vec![FeedKey::Token(key.id)]
        })
        .await;
        Token {
            id: key.id.to_string(),
            secret: secret.expose().to_owned(),
            prefix: secret.prefix().to_string(),
            path: String::new(),
        }
    }

    /// Gives a key a new secret; the one before works for another hour.
    pub(crate) async fn rotate(&self, key: &Token) -> Token {
        let (services, now) = (&self.services, self.services.clock.now());
        let secret = PlainToken::generate(Brand::DEFAULT, Kind::ApiKey, &services.entropy);
        let (pepper, organization) = (services.peppers.current(), self.organization);
        let id = TokenId::parse(&key.id).unwrap();
        let found = services
            .store
            .find_key(organization, id, now)
            .await
            .unwrap();
        self.change(async |tx| {
            let new = NewSecret {
                id: TokenId::generate(&services.entropy, now),
                prefix: secret.prefix(),
                stored: &Stored::Digest(pepper.digest(&secret), pepper.id().clone()),
                overlap: Overlap::Until(now.plus_seconds(3_600)),
                now,
            };
            let version = found.unwrap().version;
            match tx
                .rotate_key(organization, id, version, &new)
                .await
                .unwrap()
            {
                Rotated::Done(changed) => changed,
                other => panic!("{other:?}"),
            }
        })
        .await;
        Token {
            id: key.id.clone(),
            secret: secret.expose().to_owned(),
            prefix: secret.prefix().to_string(),
            path: String::new(),
        }
    }

    /// Makes this Acme's policy.
    pub(crate) async fn enforce(&self, policy: &Policy) {
        let now = self.services.clock.now();
        let organization = self.organization;
        self.change(async |tx| {
            tx.enforce_policy(organization, policy, now)
                .await
                .unwrap()
                .1
        })
        .await;
    }

    /// A policy that forbids personal access tokens to carry this.
    pub(crate) async fn forbid(&self, permission: &str) {
        self.enforce(&Policy {
            forbidden: PermissionSet::parse([permission]).unwrap(),
            ..Policy::default()
        })
        .await;
    }
}
