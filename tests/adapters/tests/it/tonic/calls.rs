//! A call without a message, as generated code would make it.

use http::uri::PathAndQuery;
use std::time::Duration;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
pub(super) use tonic::transport::Channel;
use tonic::transport::Endpoint;
use tonic::{Request, Status};

/// How long a call may take: tonic's own time limit, not ours.
const PATIENCE: Duration = Duration::from_secs(60);

fn endpoint(port: u16) -> Endpoint {
    Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().timeout(PATIENCE)
}

pub(super) async fn channel(port: u16) -> Channel {
    endpoint(port).connect().await.unwrap()
}

/// Waits no longer than that for an answer.
pub(super) async fn hasty_channel(port: u16, patience: Duration) -> Channel {
    endpoint(port).timeout(patience).connect().await.unwrap()
}

/// Connects when it is first used.
pub(super) fn lazy_channel(port: u16) -> Channel {
    endpoint(port).connect_lazy()
}

pub(super) async fn unary(channel: &Channel) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    client.unary(Request::new(()), PathAndQuery::from_static("/shop.Stock/Get"), Nothing).await.map(tonic::Response::into_inner)
}

/// Messages without a field take no bytes.
#[derive(Default)]
pub(super) struct Nothing;

impl Codec for Nothing {
    type Encode = ();
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Nothing {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl Decoder for Nothing {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, _: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        Ok(Some(()))
    }
}
