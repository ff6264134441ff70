//! Log lines: compact and coloured for people, JSON for programs; one event is one line on standard error.

use super::scrub::{Escape, ScrubbedWriter, scrub};
use crate::config::LogFormat;
use std::{
    fmt,
    io::{self, IsTerminal},
};
use tracing::{
    Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter, Layer,
    field::RecordFields,
    fmt::{FormatFields, MakeWriter, format::Writer, layer},
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is none.
    #[error("log-level is neither a level nor a list of directives: {0}")]
    Level(String),
    /// There is one already.
    #[error("the log was set up twice")]
    Twice,
}

/// Starts logging to standard error, for the whole process. Without a `format` people read it on a terminal
/// and programs anywhere else.
///
/// # Errors
/// [`LogError`].
pub fn install(format: Option<LogFormat>, level: &str) -> Result<(), LogError> {
    let terminal = io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal {
        LogFormat::People
    } else {
        LogFormat::Json
    });
    let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    subscriber(format, colours, level, io::stderr)?
        .try_init()
        .map_err(|_| LogError::Twice)
}

/// From now on a panic is one line in the log, without secrets, instead of several on standard error.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let payload = panic.payload();
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(
            place,
            "a part of the server panicked: {}",
            text.unwrap_or("without a word")
        );
    }));
}

/// The subscriber that writes through the scrubber to what `make` makes.
pub(super) fn subscriber<M>(
    format: LogFormat,
    colours: bool,
    level: &str,
    make: M,
) -> Result<impl Subscriber + Send + Sync, LogError>
where
    M: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter: EnvFilter =
        level
            .parse()
            .map_err(|error: tracing_subscriber::filter::ParseError| {
                LogError::Level(error.to_string())
            })?;
    let how = match (format, colours) {
        (LogFormat::Json, _) => Escape::Json,
        (LogFormat::People, true) => Escape::KeepColours,
        (LogFormat::People, false) => Escape::Braces,
    };
    let make = Scrubbed { make, how };
    let lines = match format {
        LogFormat::Json => layer().json().flatten_event(true).with_writer(make).boxed(),
        LogFormat::People => layer()
            .compact()
            .fmt_fields(ScrubbedFields)
            .with_ansi(colours)
            .with_writer(make)
            .boxed(),
    };
    Ok(registry().with(filter).with(lines))
}

struct Scrubbed<M> {
    make: M,
    how: Escape,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Scrubbed<M> {
    type Writer = ScrubbedWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        ScrubbedWriter {
            inner: self.make.make_writer(),
            how: self.how,
        }
    }

    fn make_writer_for(&'a self, about: &tracing::Metadata<'_>) -> Self::Writer {
        ScrubbedWriter {
            inner: self.make.make_writer_for(about),
            how: self.how,
        }
    }
}

/// Fields for people, each scrubbed before the formatter adds colours.
struct ScrubbedFields;

impl<'writer> FormatFields<'writer> for ScrubbedFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = FieldWriter {
            writer,
            first: true,
            result: Ok(()),
        };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct FieldWriter<'writer> {
    writer: Writer<'writer>,
    first: bool,
    result: fmt::Result,
}

impl FieldWriter<'_> {
    fn write(&mut self, field: &Field, value: &str) {
        let gap = if std::mem::replace(&mut self.first, false) {
            ""
        } else {
            " "
        };
        let value = scrub(value);
        let name = field.name();
        let written = if name == "message" {
            write!(self.writer, "{gap}{value}")
        } else {
            write!(self.writer, "{gap}{name}={value}")
        };
        self.result = self.result.and(written);
    }
}

impl Visit for FieldWriter<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, &format!("{value:?}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, &format!("{value:?}"));
    }
}
