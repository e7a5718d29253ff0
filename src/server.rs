//! Requests over HTTP -> answers: what all requests share, and what lies around the routes.
//!
//! Routes are warp's. The loop around them is ours, because warp's own has no timeout for slow headers and its graceful
//! stop waits for ever on an open event stream. Around the routes lie, from the outside: compression for text, and the guard
//! (`Host`, site, method, token).

mod assets;
mod bounds;
mod connections;
mod error;
mod frame_origin;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guard;
mod gzip;
mod handlers;
mod health_text;
mod held;
mod listener;
mod lists;
mod live;
mod metrics;
mod routes;
mod socket;
pub(crate) mod wire;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use hyper::{Request, body::Incoming};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time::sleep,
};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::compression::{
    CompressionLayer,
    predicate::{DefaultPredicate, NotForContentType, Predicate},
};
use warp::{
    http::{HeaderValue, header},
    reply::Response,
};

use crate::answers::films::Films;

pub use self::{bounds::Bounds, frame_origin::FrameOrigin};
use self::{
    connections::{Connected, Connections},
    guard::Guard,
    health_text::HealthText,
    lists::Lists,
    live::News,
    metrics::Metrics,
};
use crate::{
    answers::{differences::Differences, numbers::Numbers, pictures::Pictures},
    catalog::Catalog,
    load::Loader,
};

/// One part in so many of the memory for caches is for numbers, one for pairings of filters, and one for lists.
const NUMBERS_SHARE: u64 = 16;

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The logdir, as it is shown.
    pub logdir: String,
    /// The directory that recipes log into.
    pub log_into: String,
    /// Whether it is the bundled recording.
    pub is_demo: bool,
    /// How much memory pictures and tensors may take to be had again quickly, in bytes.
    pub cache_bytes: u64,
    /// How much memory reading and drawing may take at a time, in bytes.
    pub work_bytes: u64,
    /// What clients must know, if anything.
    pub token: Option<String>,
    /// Names beside `localhost` by which clients may call this server.
    pub allowed_hosts: Vec<String>,
    /// Origins beside our own whose pages may show the page in a frame.
    pub allowed_frames: Vec<FrameOrigin>,
    /// How many clients may be connected.
    pub bounds: Bounds,
}

/// What all handlers share.
struct AppState {
    catalog: Catalog,
    pictures: Arc<Pictures>,
    numbers: Numbers,
    differences: Differences,
    lists: Arc<Lists>,
    health: HealthText,
    /// The newest change, for all who listen.
    news: watch::Sender<Arc<News>>,
    settings: Settings,
    metrics: Metrics,
    films: Arc<Films>,
    /// Open event streams that may still be added.
    streams: Arc<Semaphore>,
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
    let pictures =
        Arc::new(Pictures::new(loader, settings.cache_bytes - 3 * for_numbers, settings.work_bytes));
    let bounds = settings.bounds;
    let instance = instance(address);
    let news = watch::Sender::new(Arc::new(News::none(catalog.snapshot())));
    let app = Arc::new(AppState {
        catalog,
        films: Films::new(Arc::clone(&pictures)),
        streams: Arc::new(Semaphore::new(bounds.streams)),
        numbers: Numbers::new(Arc::clone(&pictures), for_numbers),
        differences: Differences::new(Arc::clone(&pictures), for_numbers),
        lists: Arc::new(Lists::new(for_numbers, instance)),
        health: HealthText::default(),
        news,
        pictures,
        settings,
        metrics: Metrics::default(),
        instance,
        stopping: stopping.clone(),
    });
    tokio::spawn(live::tell(Arc::clone(&app)));
    let is_text = DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream"));
    let routes = warp::service(routes::routes(&app));
    let service = ServiceBuilder::new()
        .layer(CompressionLayer::new().gzip(true).compress_when(is_text))
        .service(tower::service_fn(move |request| guarded(Arc::clone(&guard), routes.clone(), request)));
    let told_to_stop = async {
        stop.await;
        // Where nothing listens any more, nothing has to be told.
        let _ = tell_stop.send(true);
    };
    tokio::join!(told_to_stop, listener::serve(listener, Connections::new(bounds), service, stopping));
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
    let mut response = match guard.check(&mut request) {
        Ok(()) => {
            if let Some(connected) = request.extensions().get::<Arc<Connected>>() {
                connected.work();
            }
            routes.oneshot(request).await?
        }
        Err(refusal) => {
            sleep(refusal.after).await;
            *refusal.response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // What is no page may be framed by the same pages, and does nothing there.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| guard.policy());
    Ok(response)
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
