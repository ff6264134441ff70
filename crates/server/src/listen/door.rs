//! What stands between the protocol and the service: counts requests in and out, and answers for the service
//! when its time is over.

use super::{
    Limits, Peer, Service,
    activity::{Activity, InFlight, Protocol},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// The body of a request, as the service gets it.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    /// Set when all of it was read; nothing to set when there is none.
    complete: Option<Arc<AtomicBool>>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        if let (Some(complete), true) = (
            &self.complete,
            frame.is_none() || self.incoming.is_end_stream(),
        ) {
            complete.store(true, Ordering::Release);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// The service of one connection.
#[derive(Debug)]
pub(super) struct Door<S> {
    service: S,
    peer: Peer,
    activity: Arc<Activity>,
    request_limit: Duration,
    /// What HTTP/2 itself does not bound; HTTP/1 does.
    header_lines: Option<usize>,
}

impl<S> Door<S> {
    pub(super) fn new(
        service: S,
        peer: Peer,
        protocol: Protocol,
        limits: &Limits,
        activity: Arc<Activity>,
    ) -> Self {
        let header_lines = (protocol == Protocol::Http2).then_some(limits.header_lines);
        Self {
            service,
            peer,
            activity,
            request_limit: limits.request,
            header_lines,
        }
    }

    /// What is wrong with the head of a request, whoever would serve it.
    fn refusal<B>(&self, request: &Request<B>) -> Option<&'static OwnAnswer> {
        let headers = request.headers();
        if self.header_lines.is_some_and(|most| headers.len() > most) {
            return Some(&OwnAnswer::TOO_MANY_LINES);
        }
        (request.version() == Version::HTTP_11 && !is_unambiguous(headers))
            .then_some(&OwnAnswer::AMBIGUOUS)
    }

    pub(super) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.activity)
    }
}

impl<S: Service> hyper::service::Service<Request<Incoming>> for Door<S> {
    type Response = Response<Reply<S::Reply>>;
    type Error = std::convert::Infallible;
    type Future = Answer<S>;

    fn call(&self, request: Request<Incoming>) -> Answer<S> {
        let in_flight = Some(self.activity.begin(request.method().clone()));
        let complete = (!request.body().is_end_stream()).then(Arc::default);
        let state = match self.refusal(&request) {
            Some(answer) => State::Refused { answer },
            None => {
                let request = request.map(|incoming| RequestBody {
                    incoming,
                    complete: complete.clone(),
                });
                State::Serving {
                    inner: self.service.call(request),
                }
            }
        };
        Answer {
            state,
            in_flight,
            complete,
            time_over: None,
            limit: self.request_limit,
            tls: self.peer.tls,
        }
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S: Service> {
        Serving { #[pin] inner: S::Future },
        Refused { answer: &'static OwnAnswer },
    }
}

pin_project! {
    /// The answer to one request, in time.
    pub(super) struct Answer<S: Service> {
        #[pin]
        state: State<S>,
        in_flight: Option<InFlight>,
        complete: Option<Arc<AtomicBool>>,
        // Made only when the service does not answer at once.
        time_over: Option<Pin<Box<Sleep>>>,
        limit: Duration,
        tls: bool,
    }
}

impl<S: Service> Future for Answer<S> {
    type Output = Result<Response<Reply<S::Reply>>, std::convert::Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match this.state.project() {
            StateProjection::Refused { answer } => own_answer(answer, *this.tls),
            StateProjection::Serving { inner } => match inner.poll(cx) {
                Poll::Ready(Ok(response)) => response.map(|body| Which::Served { body }),
                Poll::Ready(Err(never)) => match never {},
                Poll::Pending => {
                    let limit = *this.limit;
                    ready!(
                        this.time_over
                            .get_or_insert_with(|| Box::pin(sleep(limit)))
                            .as_mut()
                            .poll(cx)
                    );
                    let all_read = this
                        .complete
                        .as_ref()
                        .is_none_or(|complete| complete.load(Ordering::Acquire));
                    own_answer(
                        if all_read {
                            &OwnAnswer::TOO_SLOW
                        } else {
                            &OwnAnswer::TOO_SLOW_CLIENT
                        },
                        *this.tls,
                    )
                }
            },
        };
        let mut in_flight = this.in_flight.take();
        if let Some(in_flight) = &mut in_flight {
            in_flight.answered(response.status());
        }
        Poll::Ready(Ok(response.map(|body| Reply {
            body,
            _in_flight: in_flight,
        })))
    }
}

/// Whether every server would read this head alike: one host (RFC 9112 section 3.2), and no coding of the
/// transfer but `chunked` (section 6.1), which some would overlook.
fn is_unambiguous(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none());
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let coding = codings.next();
    host.is_some_and(|host| host.as_bytes().iter().all(is_of_host))
        && codings.next().is_none()
        && coding.is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

const fn is_of_host(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']' | b'%')
}

/// What the listener answers by itself.
#[derive(Debug)]
struct OwnAnswer {
    status: StatusCode,
    problem: &'static str,
}

impl OwnAnswer {
    const AMBIGUOUS: Self = Self {
        status: StatusCode::BAD_REQUEST,
        problem: r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"request_ambiguous","detail":"Send exactly one Host, and no Transfer-Encoding but chunked."}"#,
    };
    const TOO_MANY_LINES: Self = Self {
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        problem: r#"{"type":"about:blank","title":"Request Header Fields Too Large","status":431,"code":"headers_too_large","detail":"Send fewer header lines."}"#,
    };
    const TOO_SLOW_CLIENT: Self = Self {
        status: StatusCode::REQUEST_TIMEOUT,
        problem: r#"{"type":"about:blank","title":"Request Timeout","status":408,"code":"request_timeout","detail":"The request's body took too long to arrive."}"#,
    };
    const TOO_SLOW: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        problem: r#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"busy","detail":"The request took too long. Try again."}"#,
    };
}

fn own_answer<B>(answer: &OwnAnswer, tls: bool) -> Response<Which<B>> {
    let mut response = Response::new(Which::Own {
        body: Full::new(Bytes::from_static(answer.problem.as_bytes())),
    });
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
    );
    if answer.status == StatusCode::BAD_REQUEST {
        // Where the next request would begin is not sure either.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if tls {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    response
}

pin_project! {
    #[project = WhichProjection]
    enum Which<B> {
        Served { #[pin] body: B },
        Own { body: Full<Bytes> },
    }
}

pin_project! {
    /// The body of an answer. The request counts as under way until it is dropped.
    pub(super) struct Reply<B> {
        #[pin]
        body: Which<B>,
        _in_flight: Option<InFlight>,
    }
}

impl<B: Body<Data = Bytes>> Body for Reply<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().body.project() {
            WhichProjection::Served { body } => body.poll_frame(cx),
            WhichProjection::Own { body } => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Which::Served { body } => body.is_end_stream(),
            Which::Own { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Which::Served { body } => body.size_hint(),
            Which::Own { body } => body.size_hint(),
        }
    }
}
