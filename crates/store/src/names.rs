//! What things are called, by their ids: for lists that keep ids alone.

use crate::{Store, StoreError, on};
use hallpass_domain::id::OrganizationId;
use sqlx::QueryBuilder;
use std::collections::HashMap;

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedKind {
    /// A user who is in the organization.
    Member,
    /// A user who is not.
    Stranger,
    /// A personal access token.
    Token,
    /// An API key.
    Key,
    /// A role.
    Role,
    /// An invitation.
    Invitation,
    /// An organization.
    Organization,
}

impl NamedKind {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "member" => Some(Self::Member),
            "stranger" => Some(Self::Stranger),
            "personal_access_token" => Some(Self::Token),
            "api_key" => Some(Self::Key),
            "role" => Some(Self::Role),
            "invitation" => Some(Self::Invitation),
            "organization" => Some(Self::Organization),
            _ => None,
        }
    }
}

/// What something is called now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What it is.
    pub kind: NamedKind,
    /// Its name, or the address of an invitation.
    pub name: String,
    /// How a token begins.
    pub prefix: Option<String>,
}

/// Each begins a select of id, kind, name, prefix, and ends before the list of ids; the organization stands between its two parts.
const SELECTS: [[&str; 2]; 5] = [
    [
        "select w.id, case when exists (select 1 from membership m where m.user_id = w.id and m.organization_id = ",
        ") then 'member' else 'stranger' end as kind, w.name, cast(null as TEXT) as prefix from app_user w where w.id in (",
    ],
    [
        " union all select t.id, t.kind, t.name, t.prefix from token t where t.organization_id = ",
        " and t.id in (",
    ],
    [
        " union all select r.id, 'role', r.name, null from role r where (r.organization_id is null or r.organization_id = ",
        ") and r.id in (",
    ],
    [
        " union all select i.id, 'invitation', i.email, null from invitation i where i.organization_id = ",
        " and i.id in (",
    ],
    [
        " union all select o.id, 'organization', o.name, null from organization o where o.id = ",
        " and o.id in (",
    ],
];

type Row = (Vec<u8>, String, String, Option<String>);

impl Store {
    /// What the `ids` are called that `organization` knows: its members and other users, its tokens and keys, roles,
    /// invitations, and the organization itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn names(
        &self,
        organization: OrganizationId,
        ids: &[[u8; 16]],
    ) -> Result<HashMap<[u8; 16], Named>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found: Vec<Row> = on!(&self.read, pool => {
            let mut statement = QueryBuilder::new("");
            for [before, after] in SELECTS {
                statement.push(before).push_bind(organization.bytes().to_vec()).push(after);
                let mut list = statement.separated(", ");
                for id in ids {
                    list.push_bind(id.to_vec());
                }
                statement.push(")");
            }
            statement.build_query_as().fetch_all(pool).await?
        });
        found
            .into_iter()
            .map(|(id, kind, name, prefix)| {
                let id = id.try_into().map_err(|_| StoreError::Malformed("id"))?;
                let kind = NamedKind::from_word(&kind).ok_or(StoreError::Malformed("kind"))?;
                Ok((id, Named { kind, name, prefix }))
            })
            .collect()
    }
}
