//! A listening socket -> connections, as many as the limits allow, each served until it ends or must be closed.
//!
//! No client waits without an answer: if there is no room for a new connection and no idle connection to close, it is refused with 503.

use std::{convert::Infallible, error::Error, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{
    Request,
    body::{Body, Incoming},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    task::JoinSet,
    time::timeout,
};
use tower::{Service, ServiceExt};
use warp::http::Response;

use super::{
    chunked_body::ChunkedBody,
    connections::{ConnectionHandle, Connections},
    shutdown::stopped,
    socket::{Socket, TAKES_WITHIN},
};

/// A client that takes longer to send its headers is disconnected, even if it has sent requests before.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// Answers that are in progress when the program stops get this long to finish.
const STOP_WITHIN: Duration = Duration::from_millis(500);
/// The pause after a failed accept, which usually means that no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The most bytes of headers, approximately, and the most bytes of an answer that are buffered in addition to the piece that is being
/// sent.
const BUFFER_BYTES: usize = 64 << 10;
/// How many bytes of an answer the operating system buffers before the client's window allows sending them.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 128 << 10;
/// How many refused connections are kept open at once until the refusal is read. A client beyond that may see a broken connection
/// instead.
const MOST_REFUSALS: usize = 32;
/// How long a refused client may take to read the refusal.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);
const REFUSAL: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
                       retry-after: 1\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n\
                       cross-origin-resource-policy: same-origin\r\nconnection: close\r\n\r\n\
                       {\"code\":\"busy\",\"message\":\"all connections of this server are busy: try again in a second\"}";

/// Serves until the program stops; the connections that are open then get half a second.
pub(super) async fn serve<S, B>(
    listener: TcpListener,
    connections: Arc<Connections>,
    service: S,
    mut stopping: watch::Receiver<bool>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let refusals = Arc::new(Semaphore::new(MOST_REFUSALS));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stopping) => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) =
            accepted.inspect_err(|error| tracing::warn!(%error, "a connection could not be accepted"))
        else {
            connections.close_one();
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        match connections.admit() {
            Some((connection, must_close)) => {
                let accepted = AcceptedConnection { stream, connection: Arc::new(connection), must_close };
                tasks.spawn(accepted.serve(service.clone(), stopping.clone()));
            }
            None => match Arc::clone(&refusals).try_acquire_owned() {
                Ok(permit) => drop(tasks.spawn(refuse(stream, permit))),
                Err(_) => drop(stream.try_write(REFUSAL.as_bytes())),
            },
        }
    }
    drop(listener);
    if timeout(STOP_WITHIN, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tracing::info!(left = tasks.len(), "connections were closed before their answers were complete");
    }
}

/// A connection that was admitted.
struct AcceptedConnection {
    stream: TcpStream,
    connection: Arc<ConnectionHandle>,
    must_close: oneshot::Receiver<()>,
}

impl AcceptedConnection {
    async fn serve<S, B>(mut self, service: S, mut stopping: watch::Receiver<bool>)
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        prepare(&self.stream);
        let socket =
            TokioIo::new(Socket::new(self.stream, Arc::clone(&self.connection.progress), TAKES_WITHIN));
        let connection = self.connection;
        let counted = tower::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Arc::clone(&connection));
            let (service, connection) = (service.clone(), Arc::clone(&connection));
            async move {
                let response = service.oneshot(request).await?;
                Ok::<_, Infallible>(response.map(|body| ChunkedBody::new(body, connection)))
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(BUFFER_BYTES);
        let mut connection = pin!(http.serve_connection(socket, TowerToHyperService::new(counted)));
        // Errors here come from clients that disconnected, did not read, or did not speak HTTP.
        let ended = tokio::select! {
            ended = &mut connection => ended,
            _ = &mut self.must_close => return,
            () = stopped(&mut stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// Sets the options of a socket. Errors are ignored, as a socket without these options works too.
fn prepare(stream: &TcpStream) {
    // Small answers must not wait for the next acknowledgement.
    let _ = stream.set_nodelay(true);
    // Otherwise the system buffers megabytes for a client that reads nothing, and only then can we notice that it does not read.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES);
}

/// Answers without having read the request. Afterwards the request is read and discarded: if a connection is closed while it has unread
/// bytes, the system resets it, and the client would not see the answer.
async fn refuse(mut stream: TcpStream, _permit: OwnedSemaphorePermit) {
    let refused = async {
        stream.write_all(REFUSAL.as_bytes()).await?;
        stream.shutdown().await?;
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        std::io::Result::Ok(())
    };
    // A timeout means that the client does not read its answer.
    let _ = timeout(REFUSED_WITHIN, refused).await;
}
