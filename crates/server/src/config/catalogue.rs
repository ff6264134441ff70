//! The catalogue of permissions: what `hallpass.toml` lists under `[[permission]]`, and the product's own.

use super::{ConfigError, file::fault};
use hallpass_domain::{
    limits::{CATALOGUE_PERMISSIONS_MAX, PERMISSION_DESCRIPTION_BYTES_MAX},
    permission::{CatalogueEntry, OWN_RESOURCE, Permission, Risk, Source},
};
use toml::Value;

/// Adds `entries` to the catalogue.
pub(super) fn read(
    entries: Vec<Value>,
    catalogue: &mut Vec<CatalogueEntry>,
) -> Result<(), ConfigError> {
    let most = CATALOGUE_PERMISSIONS_MAX - catalogue.len();
    if entries.len() > most {
        return Err(fault(
            "permission",
            None,
            format!("{} permissions", entries.len()),
            format!("At most {most} fit"),
        ));
    }
    for entry in entries {
        let entry = read_permission(entry)?;
        if catalogue
            .iter()
            .any(|other| other.permission == entry.permission)
        {
            return Err(fault(
                "permission.name",
                Some(entry.permission.to_string()),
                "listed twice",
                "Keep one of the two",
            ));
        }
        catalogue.push(entry);
    }
    Ok(())
}

fn read_permission(entry: Value) -> Result<CatalogueEntry, ConfigError> {
    let Value::Table(table) = entry else {
        return Err(fault(
            "permission",
            None,
            "not a table",
            "Write each permission under its own [[permission]]",
        ));
    };
    let (mut name, mut description, mut risk) = (None, String::new(), Risk::default());
    for (key, value) in table {
        let field = format!("permission.{key}");
        let Value::String(text) = value else {
            return Err(fault(
                field,
                Some(value.to_string()),
                "not a text",
                format!("Write {key} = \"…\""),
            ));
        };
        match key.as_str() {
            "name" => name = Some(read_name(&text)?),
            "description" => description = read_description(text)?,
            "risk" => risk = read_risk(text)?,
            _ => {
                return Err(fault(
                    field,
                    None,
                    "no such setting",
                    "A permission has a name, a description and a risk",
                ));
            }
        }
    }
    let permission = name.ok_or_else(|| {
        fault(
            "permission",
            None,
            "a permission without a name",
            "Write name = \"repo:read\"",
        )
    })?;
    Ok(CatalogueEntry {
        permission,
        description,
        risk,
        source: Source::File,
    })
}

fn read_description(text: String) -> Result<String, ConfigError> {
    if text.len() > PERMISSION_DESCRIPTION_BYTES_MAX || text.chars().any(char::is_control) {
        let way_out = format!("At most {PERMISSION_DESCRIPTION_BYTES_MAX} bytes in one line");
        return Err(fault(
            "permission.description",
            None,
            "too long, or not one line",
            way_out,
        ));
    }
    Ok(text)
}

fn read_risk(text: String) -> Result<Risk, ConfigError> {
    Risk::from_word(&text).ok_or_else(|| {
        fault(
            "permission.risk",
            Some(text),
            "no such risk",
            "It is low, medium or high",
        )
    })
}

fn read_name(text: &str) -> Result<Permission, ConfigError> {
    let refused = |problem: String, way_out: &str| {
        Err(fault(
            "permission.name",
            Some(text.to_owned()),
            problem,
            way_out,
        ))
    };
    match Permission::parse(text) {
        Err(error) => refused(error.to_string(), "Write name = \"repo:read\""),
        Ok(permission) if permission.is_wildcard() => refused(
            "a wildcard is no permission of its own".into(),
            "List each action; roles may then hold the wildcard",
        ),
        Ok(permission) if permission.resource() == OWN_RESOURCE => refused(
            format!("{OWN_RESOURCE}:… belongs to the product"),
            "Choose another resource",
        ),
        Ok(permission) => Ok(permission),
    }
}
