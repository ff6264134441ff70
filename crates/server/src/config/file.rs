//! `hallpass.toml`: where it is and what may stand in it.

use super::{
    ConfigError, FILE_BYTES_MAX, FILE_NAME, SecretText, catalogue,
    settings::{self, SETTINGS, Shape},
};
use hallpass_domain::permission::CatalogueEntry;
use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};
use toml::{Table, Value};
use zeroize::Zeroizing;

/// What stands in the file, each value as the text that a flag would be.
#[derive(Debug, Default)]
pub(super) struct FileText {
    pub(super) values: BTreeMap<&'static str, String>,
    pub(super) catalogue: Vec<CatalogueEntry>,
}

/// A fault in the file.
pub(super) fn fault(
    setting: impl Into<String>,
    value: Option<String>,
    problem: impl Into<String>,
    way_out: impl Into<String>,
) -> ConfigError {
    ConfigError {
        setting: setting.into(),
        origin: FILE_NAME.to_owned(),
        value,
        problem: problem.into(),
        way_out: way_out.into(),
    }
}

impl FileText {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| not_toml(text, &error))?;
        let mut this = Self {
            catalogue: hallpass_domain::permission::CatalogueEntry::of_product(),
            ..Self::default()
        };
        for (key, value) in table {
            match (key.as_str(), value) {
                ("permission", Value::Array(entries)) => {
                    catalogue::read(entries, &mut this.catalogue)?
                }
                ("permission", _) => {
                    return Err(fault(
                        key,
                        None,
                        "not a list of tables",
                        "Write each permission under its own [[permission]]",
                    ));
                }
                ("roles", Value::Table(roles)) => this.read_roles(roles)?,
                ("roles", _) => {
                    return Err(fault(
                        key,
                        None,
                        "not a table",
                        "Write member = [\"repo:read\"] under [roles]",
                    ));
                }
                (_, value) => this.read_setting(&key, &value)?,
            }
        }
        Ok(this)
    }

    fn read_setting(&mut self, key: &str, value: &Value) -> Result<(), ConfigError> {
        let Some(setting) = settings::find(key) else {
            let keys = SETTINGS
                .iter()
                .filter(|setting| setting.file)
                .map(|setting| setting.key)
                .chain(["permission", "roles"]);
            let way_out = settings::nearest(key, keys).map_or_else(
                || "`hallpass config` lists the settings there are".to_owned(),
                |near| format!("Perhaps {near} was meant"),
            );
            return Err(fault(key, None, "no such setting", way_out));
        };
        if !setting.file {
            let way_out = if setting.secret {
                format!("Set {} in the environment", setting.env)
            } else {
                format!("Use --{key} or {}", setting.env)
            };
            return Err(fault(
                key,
                None,
                "this does not belong in the file",
                way_out,
            ));
        }
        let text = value_text(setting.key, setting.shape, value)?;
        self.insert(setting.key, text)
    }

    fn read_roles(&mut self, roles: Table) -> Result<(), ConfigError> {
        for (role, value) in roles {
            let (key, setting) = match role.as_str() {
                "member" => ("roles.member", "member-permissions"),
                "viewer" => ("roles.viewer", "viewer-permissions"),
                _ => {
                    return Err(fault(
                        format!("roles.{role}"),
                        None,
                        "no such role",
                        "Only member and viewer can be given permissions here",
                    ));
                }
            };
            let list = texts(key, &value)?.join(",");
            self.insert(setting, list)?;
        }
        Ok(())
    }

    fn insert(&mut self, key: &'static str, text: String) -> Result<(), ConfigError> {
        if self.values.insert(key, text).is_some() {
            return Err(fault(
                key,
                None,
                "given twice, also under [roles]",
                "Keep one of the two",
            ));
        }
        Ok(())
    }
}

/// toml's own message quotes the line, which may hold a password; only the place and the reason are passed on.
fn not_toml(text: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map_or(1, |span| {
        text.get(..span.start).unwrap_or(text).matches('\n').count() + 1
    });
    fault(
        format!("line {line}"),
        None,
        format!("not TOML: {}", error.message().trim_end_matches('.')),
        "Mend the line",
    )
}

/// The text that stands for `value` on the command line.
fn value_text(key: &str, shape: Shape, value: &Value) -> Result<String, ConfigError> {
    let (problem, way_out) = match (shape, value) {
        (Shape::Text, Value::String(text)) => return Ok(text.clone()),
        (Shape::Switch, Value::Boolean(on)) => return Ok(on.to_string()),
        (Shape::List, Value::Array(_)) => return Ok(texts(key, value)?.join(",")),
        (Shape::Text, _) => ("not a text", format!("Write {key} = \"…\"")),
        (Shape::Switch, _) => (
            "neither true nor false",
            format!("Write {key} = true or {key} = false"),
        ),
        (Shape::List, _) => ("not a list", format!("Write {key} = [\"…\", \"…\"]")),
    };
    Err(fault(key, Some(value.to_string()), problem, way_out))
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>, ConfigError> {
    let not = |value: &Value| {
        fault(
            key,
            Some(value.to_string()),
            "not a list of texts",
            "Write [\"…\", \"…\"]",
        )
    };
    let list = value.as_array().ok_or_else(|| not(value))?;
    list.iter()
        .map(|item| {
            item.as_str()
                .filter(|text| !text.contains(','))
                .map(str::to_owned)
                .ok_or_else(|| not(item))
        })
        .collect()
}

/// The file to read: the one that was named, else `./hallpass.toml`, else the one in the data folder.
pub(super) fn find(
    flags: &BTreeMap<&'static str, String>,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<PathBuf>, ConfigError> {
    let given = |key, variable| {
        flags
            .get(key)
            .cloned()
            .or_else(|| env(variable).filter(|text| !text.is_empty()))
    };
    if let Some(path) = given("config", "HALLPASS_CONFIG") {
        return Ok(Some(PathBuf::from(path)));
    }
    let data =
        given("data", "HALLPASS_DATA").unwrap_or_else(|| super::values::DATA_DEFAULT.to_owned());
    let places = [PathBuf::from(FILE_NAME), Path::new(&data).join(FILE_NAME)];
    Ok(places.into_iter().find(|place| place.is_file()))
}

pub(super) fn read_settings(path: &Path) -> Result<String, ConfigError> {
    read(path, FILE_BYTES_MAX).map_err(|error| ConfigError {
        setting: "config".to_owned(),
        origin: path.display().to_string(),
        value: None,
        problem: format!("it cannot be read ({error})"),
        way_out: "Name a file that can, or none".to_owned(),
    })
}

pub(super) fn read_secret(path: &Path, key: &str, origin: &str) -> Result<SecretText, ConfigError> {
    const SECRET_BYTES_MAX: u64 = 4096;
    let text = read(path, SECRET_BYTES_MAX)
        .map(Zeroizing::new)
        .map_err(|error| ConfigError {
            setting: key.to_owned(),
            origin: origin.to_owned(),
            value: Some(path.display().to_string()),
            problem: format!("it cannot be read ({error})"),
            way_out: "Name a file that can".to_owned(),
        })?;
    Ok(SecretText::from(text.trim_end_matches(['\r', '\n'])))
}

fn read(path: &Path, bytes_max: u64) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(bytes_max + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > bytes_max {
        return Err(std::io::Error::other(format!(
            "more than {bytes_max} bytes"
        )));
    }
    Ok(text)
}
