//! The page and the runs, served to this machine and to no other.

use super::live::events;
use super::{ExploreError, FILES, Index, Runs, has_page};
use axum::Router;
use axum::extract::{Path as Address, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_stream::wrappers::ReceiverStream;
use tower_http::services::{ServeDir, ServeFile};

/// What the page may do: run its own code and WebAssembly, talk to its own origin, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// What a report may do: be looked at.
const REPORT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
);

/// A server that listens, and serves once it is awaited.
pub struct Server {
    listener: TcpListener,
    app: Router,
}

/// Listens on 127.0.0.1; port 0 is any that is free.
///
/// # Errors
/// The page is not built, or the port is taken.
pub async fn serve(page: &Path, runs: Runs, port: u16) -> Result<Server, ExploreError> {
    has_page(page)?;
    let refused = |source| ExploreError::Port { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refused)?;
    Ok(Server { listener, app: app(page, runs) })
}

impl Server {
    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is done.
    ///
    /// # Errors
    /// The system takes the address away.
    pub async fn until(self, stop: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        // Event streams never end by themselves, so the server does not wait for those who listen.
        tokio::select! {
            done = axum::serve(self.listener, self.app) => done,
            () = stop => Ok(()),
        }
    }
}

fn app(page: &Path, runs: Runs) -> Router {
    Router::new()
        .route("/data/runs.json", get(index))
        .route("/data/{run}/events", get(follow))
        .route("/data/{run}/{file}", get(file))
        .fallback_service(ServeDir::new(page).precompressed_gzip())
        .layer(from_fn(guard))
        .with_state(Arc::new(runs))
}

/// Answers this machine only, and says what its answers may do.
async fn guard(request: Request, next: Next) -> Response {
    // Another site may have its name lead to 127.0.0.1; the browser then still says whom it means.
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost") {
        return (StatusCode::FORBIDDEN, "expected the host 127.0.0.1 or localhost\n").into_response();
    }
    let report = request.uri().path().ends_with("/report.html");
    let data = request.uri().path().starts_with("/data/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, if report { REPORT_POLICY } else { POLICY });
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if data {
        // A run goes on, and one of the same name may be made anew.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    response
}

async fn index(State(runs): State<Arc<Runs>>) -> Response {
    ([(CONTENT_TYPE, "application/json")], Index::read(&runs, true).json()).into_response()
}

async fn follow(State(runs): State<Arc<Runs>>, Address(run): Address<String>) -> Response {
    match runs.find(&run) {
        Some(folder) => {
            Sse::new(ReceiverStream::new(events(folder))).keep_alive(KeepAlive::default()).into_response()
        }
        None => no_such_run(&run),
    }
}

async fn file(
    State(runs): State<Arc<Runs>>,
    Address((run, name)): Address<(String, String)>,
    request: Request,
) -> Response {
    let Some(folder) = runs.find(&run) else { return no_such_run(&run) };
    if !FILES.contains(&name.as_str()) {
        return (StatusCode::NOT_FOUND, format!("a run has {}\n", FILES.join(", "))).into_response();
    }
    let path: PathBuf = folder.join(&name);
    match ServeFile::new(path).try_call(request).await {
        Ok(response) => response.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{name}: {error}\n")).into_response(),
    }
}

fn no_such_run(run: &str) -> Response {
    (StatusCode::NOT_FOUND, format!("there is no run {run}\n")).into_response()
}
