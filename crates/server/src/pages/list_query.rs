//! Which part of the list of tokens is shown, in which order: to and from an address.

use super::{form::Fields, words};
use crate::service::access_tokens::RECENT_USES_DAYS;
use hallpass_domain::{
    access_token::TokenState,
    id::TokenId,
    limits::{PAGE_ROWS_DEFAULT, SEARCH_CHARS_MAX},
    name::fold_search,
    time::Timestamp,
};
use hallpass_store::{TokenQuery, TokenSort};

/// Characters of an id in a cursor; what follows is the sort key.
const ID_CHARS: usize = 36;

/// Which part of the list, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) state: TokenState,
    pub(super) search: String,
    pub(super) sort: TokenSort,
    pub(super) descending: bool,
    pub(super) after: Option<(String, TokenId)>,
}

struct SortColumn {
    sort: TokenSort,
    word: &'static str,
    label: &'static str,
    class: &'static str,
    /// The direction of the first click: the newest and the latest used first, names and ends from their beginning.
    descending: bool,
}

const SORTS: [SortColumn; 4] = [
    SortColumn {
        sort: TokenSort::Name,
        word: "name",
        label: "Token",
        class: "who",
        descending: false,
    },
    SortColumn {
        sort: TokenSort::Created,
        word: "created",
        label: "Created",
        class: "when",
        descending: true,
    },
    SortColumn {
        sort: TokenSort::LastUsed,
        word: "last-used",
        label: "Last used",
        class: "used",
        descending: true,
    },
    SortColumn {
        sort: TokenSort::Expiration,
        word: "expires",
        label: "Expires",
        class: "when",
        descending: false,
    },
];

impl ListQuery {
    const DEFAULT_SORT: TokenSort = TokenSort::Created;

    /// What a query does not say, or says wrongly, is as in the list that opens first.
    pub(super) fn read(fields: &Fields) -> Self {
        let column = SORTS
            .iter()
            .find(|column| column.word == fields.get("sort"));
        let (sort, first) = column.map_or((Self::DEFAULT_SORT, true), |column| {
            (column.sort, column.descending)
        });
        Self {
            state: TokenState::from_word(fields.get("state")).unwrap_or(TokenState::Active),
            search: fields
                .get("search")
                .trim()
                .chars()
                .take(SEARCH_CHARS_MAX)
                .collect(),
            sort,
            descending: match fields.get("order") {
                "up" => false,
                "down" => true,
                _ => first,
            },
            after: fields
                .get("after")
                .split_at_checked(ID_CHARS)
                .and_then(|(id, key)| Some((key.to_owned(), TokenId::parse(id).ok()?))),
        }
    }

    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let column = SORTS.iter().find(|column| column.sort == self.sort);
        let sort = column
            .filter(|_| self.sort != Self::DEFAULT_SORT || !self.descending)
            .map(|column| {
                [
                    ("sort", column.word.to_owned()),
                    (
                        "order",
                        if self.descending { "down" } else { "up" }.to_owned(),
                    ),
                ]
            });
        let state =
            (self.state != TokenState::Active).then(|| ("state", self.state.word().to_owned()));
        let search = (!self.search.is_empty()).then(|| ("search", self.search.clone()));
        let after = self
            .after
            .as_ref()
            .map(|(key, id)| ("after", format!("{id}{key}")));
        state
            .into_iter()
            .chain(search)
            .chain(sort.into_iter().flatten())
            .chain(after)
            .collect()
    }

    pub(super) fn href(&self) -> String {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return "/settings/tokens".to_owned();
        }
        format!(
            "/settings/tokens?{}",
            form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish()
        )
    }

    /// The same list from its beginning.
    pub(super) fn at_its_beginning(&self) -> Self {
        Self {
            after: None,
            ..self.clone()
        }
    }

    pub(super) fn store_query(&self, now: Timestamp) -> TokenQuery {
        TokenQuery {
            state: Some(self.state),
            unused_since: None,
            search: fold_search(&self.search),
            sort: self.sort,
            descending: self.descending,
            after: self.after.clone(),
            limit: PAGE_ROWS_DEFAULT,
            now,
            recent_since: now.plus_days(-RECENT_USES_DAYS),
        }
    }

    pub(super) fn tabs(&self, counts: &[(TokenState, u64)]) -> Vec<Tab> {
        let count = |state| {
            counts
                .iter()
                .find(|(counted, _)| *counted == state)
                .map_or(0, |(_, count)| *count)
        };
        let tab = |state, label| Tab {
            href: Self {
                state,
                after: None,
                ..self.clone()
            }
            .href(),
            label,
            count: words::grouped(count(state)),
            current: state == self.state,
        };
        let mut tabs = vec![
            tab(TokenState::Active, "Active"),
            tab(TokenState::Expired, "Expired"),
            tab(TokenState::Revoked, "Revoked"),
        ];
        if count(TokenState::Suspended) > 0 || self.state == TokenState::Suspended {
            tabs.push(tab(TokenState::Suspended, "Suspended"));
        }
        tabs
    }

    pub(super) fn sorts(&self) -> Vec<Sort> {
        SORTS
            .iter()
            .map(|column| {
                let current = column.sort == self.sort;
                let descending = if current {
                    !self.descending
                } else {
                    column.descending
                };
                let (arrow, aria) = if self.descending {
                    (" ↓", "descending")
                } else {
                    (" ↑", "ascending")
                };
                Sort {
                    href: Self {
                        sort: column.sort,
                        descending,
                        after: None,
                        ..self.clone()
                    }
                    .href(),
                    label: if column.sort == TokenSort::Expiration
                        && self.state == TokenState::Revoked
                    {
                        "Ended"
                    } else {
                        column.label
                    },
                    class: column.class,
                    arrow: if current { arrow } else { "" },
                    aria,
                    current,
                }
            })
            .collect()
    }
}

/// A link to the list of one state.
#[derive(Debug)]
pub(super) struct Tab {
    pub(super) href: String,
    pub(super) label: &'static str,
    pub(super) count: String,
    pub(super) current: bool,
}

/// A link that sorts the list.
#[derive(Debug)]
pub(super) struct Sort {
    pub(super) href: String,
    pub(super) label: &'static str,
    pub(super) class: &'static str,
    pub(super) arrow: &'static str,
    pub(super) aria: &'static str,
    pub(super) current: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> ListQuery {
        ListQuery::read(&Fields::parse(query.as_bytes()))
    }

    #[test]
    fn a_link_leads_to_the_list_it_was_made_for() {
        for query in [
            "",
            "state=expired",
            "search=%D7%A9%D7%9C%D7%95%D7%9D&sort=name&order=down",
            "sort=created&order=up",
            "state=revoked&sort=last-used&order=up&after=019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6aa%26b%3Dc",
        ] {
            let query = read(query);
            let href = query.href();
            assert_eq!(
                read(href.split_once('?').map_or("", |(_, query)| query)),
                query,
                "{href}"
            );
        }
        assert_eq!(
            read("").href(),
            "/settings/tokens",
            "the list that opens first has a short address"
        );
    }

    #[test]
    fn what_is_strange_is_ignored() {
        assert_eq!(
            read("state=gone&sort=secret&order=sideways&after=x&utm=1"),
            read("")
        );
        assert_eq!(
            read(&format!("search={}", "a".repeat(1_000))).search.len(),
            SEARCH_CHARS_MAX
        );
    }

    #[test]
    fn a_second_click_turns_the_order_round() {
        let by_name = read("sort=name&order=up");
        let sorts = by_name.sorts();
        assert!(sorts[0].current && sorts[0].href.contains("order=down") && sorts[0].arrow == " ↑");
        assert!(!sorts[2].current && sorts[2].href.contains("sort=last-used&order=down"));
    }

    #[test]
    fn suspended_has_a_tab_only_when_there_are_any() {
        let labels = |counts: &[(TokenState, u64)]| {
            read("")
                .tabs(counts)
                .iter()
                .map(|tab| tab.label)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            labels(&[(TokenState::Active, 3)]),
            ["Active", "Expired", "Revoked"]
        );
        assert_eq!(
            labels(&[(TokenState::Suspended, 1)]).last(),
            Some(&"Suspended")
        );
    }
}
