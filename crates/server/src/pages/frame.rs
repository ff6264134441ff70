//! What stands around every page of someone who is signed in: the bar with the organization in force, and the rail.

use super::{rail, visitor::Visitor, words};

/// What stands around a page.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) organization: String,
    pub(super) email: String,
    pub(super) initials: String,
    pub(super) role: String,
    pub(super) csrf: String,
    /// The organizations to choose from, none if there is nothing to choose.
    pub(super) places: Vec<Place>,
    pub(super) rail: Vec<rail::Group>,
}

/// An organization that the person is in.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: String,
    /// Whether it is the one in force.
    pub(super) current: bool,
}

impl Frame {
    /// What the page in the rail is called on which one is.
    pub(super) fn here(&self) -> Option<&'static str> {
        let mut links = self.rail.iter().flat_map(|group| &group.links);
        links.find(|link| link.current).map(|link| link.label)
    }

    /// The frame of a page in `section` of the settings.
    pub(super) fn new(visitor: &Visitor, section: &str) -> Self {
        let person = visitor.person();
        let in_force = person.organization.id;
        let places = visitor.places.iter().map(|(organization, role)| Place {
            id: organization.id.to_string(),
            name: organization.name.to_string(),
            role: role.clone(),
            current: organization.id == in_force,
        });
        Self {
            organization: person.organization.name.to_string(),
            email: person.user.email.to_string(),
            initials: words::initials(person.user.name.as_str()),
            role: person.role.name.to_string(),
            csrf: visitor.present.csrf.clone(),
            places: if visitor.places.len() > 1 {
                places.collect()
            } else {
                Vec::new()
            },
            rail: rail::groups(person, section),
        }
    }
}
