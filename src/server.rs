//! Requests over HTTP -> answers: the accept loop, and what all requests share.
//!
//! Routes are warp's. The loop around them is ours, because warp's own has no timeout for slow headers and its graceful
//! stop waits for ever on an open event stream. Around the routes lie, from the outside: compression for text, and the guard
//! (`Host`, token, method).

mod assets;
mod cache;
mod chart;
mod difference;
pub(crate) mod error;
mod film;
pub(crate) mod find;
mod guard;
mod handlers;
mod live;
mod metrics;
pub(crate) mod minus;
mod numbers;
mod pictures;
mod pool;
pub(crate) mod reel;
mod routes;
mod run_ranges;
pub(crate) mod wire;

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::compression::{
    CompressionLayer,
    predicate::{DefaultPredicate, NotForContentType, Predicate},
};
use warp::reply::Response;

use self::{difference::Differences, guard::Guard, metrics::Metrics, numbers::Numbers, pictures::Pictures};
use crate::{catalog::Catalog, load::Loader};

/// A client that takes longer to send its headers is cut off.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// Answers that are still under way when the program stops get this long to end.
const STOP_WITHIN: Duration = Duration::from_millis(500);
/// After a failed accept, mostly for want of descriptors, others get this long to free some.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const MOST_CONNECTIONS: usize = 512;
/// One part in so many of the memory for caches is for numbers, and one for pairings of filters.
const NUMBERS_SHARE: u64 = 16;

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The logdir, as it is shown.
    pub logdir: String,
    /// Whether it is the bundled recording.
    pub is_demo: bool,
    /// How much memory pictures and tensors may take to be had again quickly, in bytes.
    pub cache_bytes: u64,
    /// What clients must know, if anything.
    pub token: Option<String>,
    /// Names beside `localhost` by which clients may call this server.
    pub allowed_hosts: Vec<String>,
}

/// What all handlers share.
struct House {
    catalog: Catalog,
    pictures: Arc<Pictures>,
    numbers: Numbers,
    differences: Differences,
    settings: Settings,
    metrics: Metrics,
    /// Another number in each process, so that no cache takes this logdir's pictures for those of another.
    instance: u64,
    /// Turns true when the program stops.
    stopping: watch::Receiver<bool>,
}

/// Serves what the loader's catalog lists until `stop` is ready; then open streams are ended and the rest gets half a second.
///
/// # Errors
/// When the listener has no address any more.
pub async fn serve(
    listener: TcpListener,
    loader: Loader,
    settings: Settings,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let (tell_stop, stopping) = watch::channel(false);
    let guard = Arc::new(Guard::new(&settings, address));
    let catalog = loader.catalog.clone();
    let for_numbers = settings.cache_bytes / NUMBERS_SHARE;
    let pictures = Arc::new(Pictures::new(loader, settings.cache_bytes - 2 * for_numbers));
    let house = Arc::new(House {
        catalog,
        numbers: Numbers::new(Arc::clone(&pictures), for_numbers),
        differences: Differences::new(Arc::clone(&pictures), for_numbers),
        pictures,
        settings,
        metrics: Metrics::default(),
        instance: instance(address),
        stopping: stopping.clone(),
    });
    let is_text = DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream"));
    let routes = warp::service(routes::routes(&house));
    let service = ServiceBuilder::new()
        .layer(CompressionLayer::new().gzip(true).compress_when(is_text))
        .service(tower::service_fn(move |request| guarded(Arc::clone(&guard), routes.clone(), request)));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => accepted,
        };
        let Ok((stream, _)) =
            accepted.inspect_err(|error| tracing::warn!(%error, "a connection cannot be accepted"))
        else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Small answers must not wait for the next acknowledgement; a socket without the option still works.
        let _ = stream.set_nodelay(true);
        let (service, mut stopping) = (TowerToHyperService::new(service.clone()), stopping.clone());
        connections.spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
            let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
            // Errors here are clients that went away or spoke no HTTP.
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = told(&mut stopping) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    // Connections that have all ended need no word.
    let _ = tell_stop.send(true);
    if timeout(STOP_WITHIN, async { while connections.join_next().await.is_some() {} }).await.is_err() {
        tracing::info!(left = connections.len(), "connections were cut");
    }
    Ok(())
}

async fn guarded<S>(
    guard: Arc<Guard>,
    routes: S,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible>,
{
    match guard.check(&mut request) {
        Ok(()) => routes.oneshot(request).await,
        Err(refusal) => Ok(*refusal),
    }
}

/// Waits until the program stops.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same news.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// A number that no other process on this machine gets: it listens on this address since this moment.
fn instance(address: SocketAddr) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(address)
}
