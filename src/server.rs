//! HTTP requests -> answers: what all requests share, and the layers around the routes.
//!
//! The routes use warp. The accept loop is our own, because warp's has no timeout for slow headers or for clients that do not read, no
//! limit on connections, and its graceful stop waits for ever for an open event stream. The layers around the routes are, from the
//! outside: compression of text, and the guard (`Host`, site, method, token).

mod app;
mod assets;
mod catalog_change;
mod chunked_body;
mod conditional;
mod connections;
mod description;
mod error;
mod frame_origin;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guard;
mod gzip;
mod handlers;
mod health_text;
mod limits;
mod listener;
mod lists;
mod live;
mod metrics;
mod open_metrics;
mod request;
mod routes;
mod settings;
mod shutdown;
mod socket;
pub(crate) mod wire;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use hyper::{Request, body::Incoming};
use tokio::{net::TcpListener, sync::watch, time::sleep};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::compression::{
    CompressionLayer,
    predicate::{DefaultPredicate, NotForContentType, Predicate},
};
use warp::{
    http::{HeaderValue, header},
    reply::Response,
};

use self::{
    app::AppState,
    connections::{ConnectionHandle, Connections},
    guard::Guard,
};
pub use self::{frame_origin::FrameOrigin, limits::ConnectionLimits, settings::Settings};
use crate::load::Loader;

/// Serves what the loader's catalog lists until `stop` is ready. Then event streams end, and other answers get half a second.
///
/// # Errors
/// When the address of the listener cannot be read.
pub async fn serve(
    listener: TcpListener,
    loader: Loader,
    settings: Settings,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let (request_stop, stopping) = watch::channel(false);
    let guard = Arc::new(Guard::new(&settings, address));
    let limits = settings.limits;
    let app = Arc::new(AppState::new(loader, settings, instance(address), stopping.clone()));
    tokio::spawn(live::publish_changes(Arc::clone(&app)));
    let is_text = DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream"));
    let routes = warp::service(routes::routes(&app));
    let service = ServiceBuilder::new()
        .layer(CompressionLayer::new().gzip(true).compress_when(is_text))
        .service(tower::service_fn(move |request| guarded(Arc::clone(&guard), routes.clone(), request)));
    let stop_requested = async {
        stop.await;
        // An error means that no receiver is left, so nothing needs the signal.
        let _ = request_stop.send(true);
    };
    tokio::join!(stop_requested, listener::serve(listener, Connections::new(limits), service, stopping));
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
            if let Some(connection) = request.extensions().get::<Arc<ConnectionHandle>>() {
                connection.set_busy();
            }
            routes.oneshot(request).await?
        }
        Err(rejection) => {
            sleep(rejection.after).await;
            *rejection.response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // Answers that are not pages get a policy under which they can do nothing; the same pages may frame them.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| guard.policy());
    Ok(response)
}

/// A random number for this process, which tells its answers apart from those of other processes.
fn instance(address: SocketAddr) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(address)
}
