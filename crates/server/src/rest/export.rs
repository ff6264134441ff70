//! Exports: rows as a file, written as they are read.

use crate::error::ServiceError;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use hallpass_domain::limits::{EXPORT_ROWS_MAX, EXPORT_ROWS_PER_READ};
use http::{HeaderMap, HeaderValue, header};
use std::{borrow::Cow, future::Future};

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// RFC 4180, with the names of the columns first.
    Csv,
    /// One list.
    Json,
    /// One object a line.
    JsonLines,
}

impl Format {
    /// How it is asked for; also the ending of a file's name.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json; charset=utf-8",
            Self::JsonLines => "application/x-ndjson; charset=utf-8",
        }
    }
}

/// A row of an export.
pub(super) trait Record: serde::Serialize + Send {
    /// The names of its columns.
    const COLUMNS: &'static [&'static str];
    /// What stands in them.
    fn cells(&self) -> Vec<String>;
}

/// Where the rows come from.
pub(super) trait Pages: Send + 'static {
    /// One of them.
    type Row: Record;
    /// The next rows, so many at most; none when there are no more.
    fn next(
        &mut self,
        most: u32,
    ) -> impl Future<Output = Result<Vec<Self::Row>, ServiceError>> + Send;
}

struct Export<P> {
    pages: P,
    format: Format,
    left: u32,
    begun: bool,
    done: bool,
}

/// An answer that is a file of this name, with all rows but no more than there may be.
pub(super) fn file<P: Pages>(name: &str, format: Format, pages: P) -> (HeaderMap, Body) {
    let export = Export {
        pages,
        format,
        left: EXPORT_ROWS_MAX,
        begun: false,
        done: false,
    };
    let body = Body::from_stream(stream::try_unfold(export, Export::chunk));
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.kind()),
    );
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.word());
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    (headers, body)
}

impl<P: Pages> Export<P> {
    /// The next piece. When rows cannot be read any more the answer breaks off, so that nobody takes it for whole.
    async fn chunk(mut self) -> Result<Option<(Bytes, Self)>, ServiceError> {
        if self.done {
            return Ok(None);
        }
        let most = self.left.min(EXPORT_ROWS_PER_READ);
        let rows = if most == 0 {
            Vec::new()
        } else {
            self.pages.next(most).await.inspect_err(|error| {
                tracing::error!(%error, "an export broke off");
            })?
        };
        self.left -= u32::try_from(rows.len())
            .unwrap_or(self.left)
            .min(self.left);
        let mut text = String::new();
        if !self.begun {
            self.begin(&mut text);
        }
        for row in &rows {
            self.write(row, &mut text)?;
            self.begun = true;
        }
        if rows.is_empty() {
            self.done = true;
            if self.format == Format::Json {
                text.push_str("\n]\n");
            }
        }
        Ok(Some((Bytes::from(text), self)))
    }

    fn begin(&self, text: &mut String) {
        match self.format {
            Format::Csv => write_line(P::Row::COLUMNS.iter().copied(), text),
            Format::Json => text.push('['),
            Format::JsonLines => {}
        }
    }

    fn write(&self, row: &P::Row, text: &mut String) -> Result<(), ServiceError> {
        if self.format == Format::Csv {
            let cells = row.cells();
            write_line(cells.iter().map(String::as_str), text);
            return Ok(());
        }
        let json = serde_json::to_string(row)
            .map_err(|error| ServiceError::Internal(error.to_string()))?;
        if self.format == Format::Json {
            text.push_str(if self.begun { ",\n" } else { "\n" });
            text.push_str(&json);
        } else {
            text.push_str(&json);
            text.push('\n');
        }
        Ok(())
    }
}

fn write_line<'a>(cells: impl Iterator<Item = &'a str>, text: &mut String) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&quoted(cell));
    }
    text.push_str("\r\n");
}

/// What a formula begins with; spreadsheets take the wide forms for the narrow ones.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A cell as RFC 4180 has it. What a spreadsheet would take for a formula gets a `'` before it.
fn quoted(cell: &str) -> Cow<'_, str> {
    let safe = if cell.starts_with(FORMULA) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    };
    if safe.contains([',', '"', '\r', '\n']) {
        Cow::Owned(format!("\"{}\"", safe.replace('"', "\"\"")))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (cell, written) in [
            ("", ""),
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@now", "'@now"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("=a,b", "\"'=a,b\""),
            ("＝1+1", "'＝1+1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠now", "'＠now"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(quoted(cell), written, "{cell:?}");
        }
    }

    #[derive(serde::Serialize)]
    struct Number(u32);

    impl Record for Number {
        const COLUMNS: &'static [&'static str] = &["number", "negative"];
        fn cells(&self) -> Vec<String> {
            vec![self.0.to_string(), format!("-{}", self.0)]
        }
    }

    /// As many as are asked for, without end.
    struct Endless(u32);

    impl Pages for Endless {
        type Row = Number;
        async fn next(&mut self, most: u32) -> Result<Vec<Number>, ServiceError> {
            let first = self.0;
            self.0 += most;
            Ok((first..self.0).map(Number).collect())
        }
    }

    struct Some3(bool);

    impl Pages for Some3 {
        type Row = Number;
        async fn next(&mut self, _: u32) -> Result<Vec<Number>, ServiceError> {
            let rows = if self.0 { 0..0 } else { 1..4 };
            self.0 = true;
            Ok(rows.map(Number).collect())
        }
    }

    async fn written<P: Pages>(format: Format, pages: P) -> String {
        let (_, body) = file("numbers", format, pages);
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn each_format_is_what_it_says() {
        assert_eq!(
            written(Format::Csv, Some3(false)).await,
            "number,negative\r\n1,'-1\r\n2,'-2\r\n3,'-3\r\n"
        );
        assert_eq!(
            written(Format::Json, Some3(false)).await,
            "[\n1,\n2,\n3\n]\n"
        );
        assert_eq!(written(Format::JsonLines, Some3(false)).await, "1\n2\n3\n");
        assert_eq!(written(Format::Json, Some3(true)).await, "[\n]\n");
        assert_eq!(
            written(Format::Csv, Some3(true)).await,
            "number,negative\r\n"
        );
        let (headers, _) = file("numbers", Format::Csv, Some3(true));
        assert_eq!(
            headers[header::CONTENT_DISPOSITION],
            "attachment; filename=\"numbers.csv\""
        );
    }

    #[tokio::test]
    async fn no_export_has_more_rows_than_there_may_be() {
        let lines = written(Format::JsonLines, Endless(0)).await;
        assert_eq!(lines.lines().count(), EXPORT_ROWS_MAX as usize);
    }
}
