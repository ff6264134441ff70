use super::{
    log::subscriber,
    scrub::{Escape, escape, hide_tokens},
    *,
};
use crate::config::LogFormat;
use hallpass_domain::{
    token::{Brand, Kind, PlainToken},
    verdict::{DenyReason, Verdict},
};
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logged(format: LogFormat, colours: bool, log: impl FnOnce()) -> String {
    let kept = Kept::default();
    let subscriber = subscriber(format, colours, "trace", kept.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, log);
    String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
}

fn a_token(kind: Kind) -> PlainToken {
    PlainToken::generate(
        Brand::DEFAULT,
        kind,
        &crate::entropy::SystemEntropy::seeded(3),
    )
}

const HOSTILE: [&str; 9] = [
    "a\nb",
    "a\r\nb",
    "a\u{1b}[31mb",
    "a\u{9b}31mb",
    "a\u{2028}b",
    "a\u{2029}b",
    "a\u{85}b",
    "a\u{202e}b",
    "a\u{0}\u{7f}b",
];

fn log_everywhere(value: &str) {
    let span = tracing::info_span!("request", agent = value, seen = ?value);
    let _inside = span.enter();
    let error = io::Error::other(value.to_owned());
    tracing::warn!(name = value, shown = %value, debug = ?value, error = &error as &dyn std::error::Error, "message {value}");
}

#[test]
fn one_event_is_one_line_whatever_it_holds() {
    for value in HOSTILE {
        for (format, colours) in [
            (LogFormat::Json, false),
            (LogFormat::People, false),
            (LogFormat::People, true),
        ] {
            let text = logged(format, colours, || log_everywhere(value));
            let line = text.strip_suffix('\n').unwrap();
            let colourless: String = if colours {
                strip_colours(line)
            } else {
                line.to_owned()
            };
            let bad = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
            assert!(
                !colourless.contains(bad),
                "{value:?} in {format:?}: {line:?}"
            );
            assert!(
                !line.contains("[31mb") || !line.contains("\u{1b}[31mb"),
                "{line:?}"
            );
            if format == LogFormat::Json {
                let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(parsed["name"], *value, "the value survives in JSON");
            }
        }
    }
}

/// Takes away the colours that the formatter itself uses, and nothing else.
fn strip_colours(line: &str) -> String {
    let mut text = line.to_owned();
    for colour in ["0", "1", "2", "3", "31", "32", "33", "34", "35"] {
        text = text.replace(&format!("\u{1b}[{colour}m"), "");
    }
    text
}

#[test]
fn no_token_gets_into_a_line() {
    for kind in Kind::ALL {
        let token = a_token(kind);
        let secret = token.expose();
        for value in [
            secret.to_owned(),
            format!("/v1/x?access_token={secret}&y=1"),
            format!("x{secret}y {secret}{secret}"),
            format!("__{secret}_"),
            secret[..40].to_owned(),
            format!("{}X", &secret[..47]),
            format!("ü{secret}ü"),
        ] {
            for (format, colours) in [
                (LogFormat::Json, false),
                (LogFormat::People, false),
                (LogFormat::People, true),
            ] {
                let text = logged(format, colours, || log_everywhere(&value));
                assert!(
                    !text.contains(&secret[12..20]),
                    "{value} in {format:?}: {text}"
                );
                assert!(text.contains(&secret[..10]), "the prefix stays: {text}");
            }
        }
    }
}

#[test]
fn what_is_no_token_is_left_alone() {
    for text in [
        "",
        "http_requests",
        "hpp_7Kd2mQ",
        "hpp_7Kd2mQ hpk_7Kd2mQ",
        "snake_case_names",
        "_",
        "p_aaaaaaaaaaaaaaaaaaaa",
        "Ünïcödé 🎉",
    ] {
        assert_eq!(scrub(text), text);
    }
    assert_eq!(
        hide_tokens("hpp_7Kd2mQv9XwB4 hpp_7Kd2mQv9XwB4"),
        "hpp_7Kd2mQ… hpp_7Kd2mQ…"
    );
    assert_eq!(scrub("a\n\u{1b}\u{2028}"), r"a\n\u{1b}\u{2028}");
    assert_eq!(
        escape("\u{85}\u{e0041}", Escape::Json),
        r"\u0085\udb40\udc41"
    );
}

#[test]
fn levels_and_formats_are_obeyed() {
    let kept = Kept::default();
    let subscriber = subscriber(LogFormat::Json, false, "warn,loud=debug", kept.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("quiet");
        tracing::debug!(target: "loud", "heard");
        tracing::warn!("warned");
    });
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.contains("heard") && text.contains("warned"));
    let people = logged(LogFormat::People, false, || {
        tracing::info!(count = 3, name = "x", "hello")
    });
    assert!(
        people.contains("hello count=3 name=\"x\"\n") && people.contains("INFO"),
        "{people}"
    );
    assert!(subscriber_fails("a=b=c"));
}

fn subscriber_fails(level: &str) -> bool {
    subscriber(LogFormat::Json, false, level, Kept::default()).is_err()
}

/// What [`every_number_is_there_from_the_start_and_counts`] counts.
const COUNTED: &[&str] = &[
    "hallpass_verifications_total{door=\"gateway\",verdict=\"allow\"} 1",
    "hallpass_verifications_total{door=\"gateway\",verdict=\"unavailable\"} 1",
    "hallpass_sign_ins_total{outcome=\"throttled\"} 1",
    "hallpass_tokens 5",
    "hallpass_engine_bytes 6",
    "hallpass_feed_applied 7",
    "hallpass_uses_dropped_total 8",
    "hallpass_http_connections{listener=\"people\"} 1",
    "hallpass_http_requests_total{listener=\"people\",method=\"PATCH\",status=\"4xx\"} 1",
    "hallpass_http_requests_total{listener=\"people\",method=\"other\",status=\"5xx\"} 1",
    "hallpass_http_request_seconds_count{listener=\"people\"} 2",
    "hallpass_http_request_seconds_bucket{le=\"0.0001\",listener=\"people\"} 0",
    "hallpass_http_request_seconds_bucket{le=\"0.00025\",listener=\"people\"} 1",
    "hallpass_http_request_seconds_bucket{le=\"30.0\",listener=\"people\"} 1",
    "hallpass_http_request_seconds_bucket{le=\"+Inf\",listener=\"people\"} 2",
    "hallpass_http_request_seconds_sum{listener=\"people\"} 60.00025",
];

#[test]
fn every_number_is_there_from_the_start_and_counts() {
    let metrics = Metrics::new("1.2.3");
    let before = metrics.render();
    assert!(
        before.contains("hallpass_build_info{version=\"1.2.3\"} 1") && before.ends_with("# EOF\n"),
        "{before}"
    );
    for reason in DenyReason::ALL {
        let line = format!(
            "hallpass_verifications_total{{door=\"rest\",verdict=\"{}\"}} 0\n",
            reason.word()
        );
        assert!(before.contains(&line), "{line}");
        metrics.verified(Door::Rest, Verdict::Deny(reason));
        assert!(
            metrics.render().contains(&line.replace("} 0", "} 1")),
            "{line}"
        );
    }
    metrics.verified(Door::Gateway, Verdict::Allow);
    metrics.verified(Door::Gateway, Outcome::Unavailable);
    metrics.signed_in(SignIn::Throttled);
    metrics.set_engine(EngineFigures {
        tokens: 5,
        bytes: 6,
        applied: 7,
        uses_dropped: 8,
    });
    let people = metrics.listener(ListenerName::People);
    people.opened();
    people.opened();
    people.closed();
    people.answered(
        &http::Method::PATCH,
        http::StatusCode::NOT_FOUND,
        Duration::from_micros(250),
    );
    people.answered(
        &http::Method::TRACE,
        http::StatusCode::from_u16(999).unwrap(),
        Duration::from_secs(60),
    );
    let after = metrics.render();
    for line in COUNTED {
        assert!(after.contains(&format!("{line}\n")), "{line}\n{after}");
    }
}

#[test]
fn a_stopping_node_never_becomes_ready_again() {
    let health = Health::default();
    assert_eq!(health.state(), State::NotReady("starting".to_owned()));
    assert_eq!(health.state().to_string(), "not ready: starting");
    health.set_ready();
    assert!(health.is_ready());
    health.set_not_ready("the lease ran out");
    assert_eq!(
        health.state(),
        State::NotReady("the lease ran out".to_owned())
    );
    health.set_ready();
    health.drain();
    health.set_ready();
    health.set_not_ready("x");
    assert_eq!(health.state(), State::Draining);
}
