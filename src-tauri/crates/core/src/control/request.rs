//! What each request does, in terms of the desk.

use std::io;
use std::sync::Arc;

use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{broadcast, mpsc};

use super::connection::{Gone, Lines, Out, line};
use super::frame::{Answer, Body, Call, Item, Response};
use crate::client::{OutputOptions, ShellSpec};
use crate::desk::{Desk, Said};
use crate::verb::{ApiError, ErrorCode, Verb};

/// Attends to one request to its end.
pub(super) async fn attend(desk: Arc<Desk>, call: Call, out: Out) {
    let end = match answer(&desk, call, &out).await {
        Ok(Ok(answer)) => Body::Done(answer),
        Ok(Err(error)) => Body::Failed(error),
        Err(Gone) => return,
    };
    let _gone = out.say(end).await;
}

async fn answer(desk: &Arc<Desk>, call: Call, out: &Out) -> Result<Result<Answer, ApiError>, Gone> {
    Ok(match call {
        Call::Snapshot => Ok(Answer::Snapshot(Box::new(desk.snapshot()))),
        Call::Follow => Ok(follow(desk, out).await?),
        Call::Run { verb } => run(desk, verb, out).await?,
        Call::Logs { session, options } => match desk.logs(&session, options).await {
            Ok(mut lines) => {
                while let Some(line) = lines.next().await {
                    match line {
                        Ok(line) => out.say(Body::Item(Item::Line(line))).await?,
                        Err(error) => return Ok(Err(error)),
                    }
                }
                Ok(Answer::Nothing)
            }
            Err(error) => Err(error),
        },
        Call::LaunchUrl { session, port } => desk.launch_url(&session, port).await.map(Answer::Url),
        Call::Engines => desk.engines().await.map(Answer::Engines),
        Call::Images { engine } => desk.images(engine.as_deref()).await.map(Answer::Images),
        Call::Doctor => Ok(Answer::Doctor(desk.doctor().await)),
        Call::Look { session } => match desk.look(&session) {
            // Looking ends with the request: by `cancel`, or with the connection.
            Ok(_look) => std::future::pending().await,
            Err(error) => Err(error),
        },
        Call::Output { session, options } => output(desk, &session, options, out).await?,
        Call::Sync { session, question } => {
            let answered = desk.ask_sync(&session, question).await;
            answered.map(|answer| Answer::Sync(Box::new(answer)))
        }
        Call::Contexts { question } => {
            let answered = desk.ask_contexts(question).await;
            answered.map(|answer| Answer::Contexts(Box::new(answer)))
        }
        Call::StopCore => {
            desk.ask_to_stop();
            Ok(Answer::Nothing)
        }
        Call::Shell { .. } => Err(misplaced("a shell needs a connection of its own")),
        Call::Cancel { .. } => Err(misplaced("nothing to cancel yet")),
    })
}

fn misplaced(message: &str) -> ApiError {
    ApiError::new(
        ErrorCode::Usage,
        message,
        "use a `mizzen` of the same version as the core",
    )
}

async fn follow(desk: &Desk, out: &Out) -> Result<Answer, Gone> {
    let (snapshot, mut events) = desk.follow();
    out.say(Body::Item(Item::Snapshot(Box::new(snapshot))))
        .await?;
    loop {
        match events.recv().await {
            Ok(event) => {
                out.say(Body::Item(Item::Event(Box::new((*event).clone()))))
                    .await?
            }
            Err(broadcast::error::RecvError::Lagged(_)) => return Ok(Answer::Lagged),
            Err(broadcast::error::RecvError::Closed) => return Ok(Answer::Nothing),
        }
    }
}

async fn output(
    desk: &Desk,
    session: &str,
    options: OutputOptions,
    out: &Out,
) -> Result<Result<Answer, ApiError>, Gone> {
    let mut following = match desk.output(session, options).await {
        Ok(following) => following,
        Err(error) => return Ok(Err(error)),
    };
    loop {
        match following.next().await {
            Ok(Said::More(piece)) => out.say(Body::Item(Item::Output(piece))).await?,
            Ok(Said::End(view)) => return Ok(Ok(Answer::Command(view.map(Box::new)))),
            Err(error) => return Ok(Err(error)),
        }
    }
}

async fn run(desk: &Arc<Desk>, verb: Verb, out: &Out) -> Result<Result<Answer, ApiError>, Gone> {
    let (tell, mut told) = mpsc::channel(64);
    let mut outcome = std::pin::pin!(desk.run(verb, tell));
    loop {
        tokio::select! {
            // Progress first: none of it may come after the outcome.
            biased;
            Some(progress) = told.recv() => out.say(Body::Item(Item::Progress(progress))).await?,
            outcome = &mut outcome => {
                while let Ok(progress) = told.try_recv() {
                    out.say(Body::Item(Item::Progress(progress))).await?;
                }
                return Ok(outcome.map(|outcome| Answer::Outcome(Box::new(outcome))));
            }
        }
    }
}

/// Hands the connection over to a terminal in the session: one answer, then raw frames.
pub(super) async fn shell<R, W>(
    desk: &Desk,
    id: u64,
    session: &str,
    spec: ShellSpec,
    lines: Lines<R>,
    mut write: W,
) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let terminal = match desk.shell(session, spec).await {
        Ok(terminal) => terminal,
        Err(error) => {
            return write
                .write_all(&line(&Response {
                    id,
                    body: Body::Failed(error),
                }))
                .await;
        }
    };
    write
        .write_all(&line(&Response {
            id,
            body: Body::Done(Answer::Nothing),
        }))
        .await?;
    let early = lines.read_buffer().to_vec();
    let mut client = tokio::io::join(lines.into_inner(), write);
    let (from, mut to) = tokio::io::split(terminal);
    to.write_all(&early).await?;
    let mut terminal = tokio::io::join(from, to);
    tokio::io::copy_bidirectional(&mut client, &mut terminal)
        .await
        .map(drop)
}
