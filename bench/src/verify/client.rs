//! Asks as fast as it is answered, on connections that stay open.

use super::Options;
use anyhow::{Context, bail};
use hallpass_bench::{measure, people};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
};

pub(super) struct Load {
    runtime: Runtime,
    requests: Arc<Vec<Vec<u8>>>,
    connections: usize,
    round: Duration,
}

impl Load {
    pub(super) fn new(options: &Options) -> anyhow::Result<Self> {
        let deployment = people::deployment(options.tokens)?;
        let chance = measure::Chance::new(3);
        let request = |_| {
            let token = &deployment.tokens[chance.below(deployment.tokens.len())];
            format!(
                "GET /auth HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\nX-Original-Method: GET\r\nX-Original-URI: /repos/octo/hello?page=2\r\nX-Forwarded-For: 192.0.2.7\r\nUser-Agent: curl/8.9.1\r\n\r\n",
                token.expose()
            )
            .into_bytes()
        };
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            requests: Arc::new((0..options.asked).map(request).collect()),
            connections: options.connections,
            round: Duration::from_millis(options.milliseconds),
        })
    }

    /// Requests per second in one round. Any answer but 204 is an error: the tokens are all good.
    pub(super) fn rate(&self, address: SocketAddr) -> anyhow::Result<f64> {
        self.runtime.block_on(async {
            let mut asking = Vec::new();
            for number in 0..self.connections {
                let stream = TcpStream::connect(address)
                    .await
                    .context("cannot connect")?;
                stream.set_nodelay(true)?;
                let first = number * self.requests.len() / self.connections;
                asking.push(tokio::spawn(ask(
                    stream,
                    Arc::clone(&self.requests),
                    first,
                    self.round,
                )));
            }
            let mut rate = 0.0;
            for one in asking {
                rate += one.await??;
            }
            Ok(rate)
        })
    }
}

async fn ask(
    mut stream: TcpStream,
    requests: Arc<Vec<Vec<u8>>>,
    first: usize,
    round: Duration,
) -> anyhow::Result<f64> {
    let start = measure::clock();
    let mut answer = vec![0; 4096];
    let mut asked = 0_u32;
    while start.elapsed() < round {
        for _ in 0..16 {
            let request = &requests[(first + asked as usize) % requests.len()];
            stream.write_all(request).await?;
            let mut read = 0;
            while !answer[..read].ends_with(b"\r\n\r\n") {
                let more = stream.read(&mut answer[read..]).await?;
                if more == 0 {
                    bail!("the server closed the connection");
                }
                read += more;
            }
            if !answer.starts_with(b"HTTP/1.1 204") {
                bail!("not a 204: {}", String::from_utf8_lossy(&answer[..read]));
            }
            asked += 1;
        }
    }
    Ok(f64::from(asked) / start.elapsed().as_secs_f64())
}
