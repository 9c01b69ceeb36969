//! The timer of a stream.

use std::task::{Context, Poll};

use crate::{
    threads::{BoxFuture, Local},
    transport::Transport,
};

/// When it ends, and the sleep until then.
pub(super) struct Timer(Local<Option<(f64, BoxFuture<()>)>>);

impl Default for Timer {
    fn default() -> Self {
        Self(Local::new(None))
    }
}

impl Timer {
    /// Sleeps until `at`, infinite for never. A new time starts a new sleep.
    pub fn poll<T: Transport>(
        &mut self,
        at: f64,
        transport: &T,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if at == f64::INFINITY {
            self.stop();
            return Poll::Pending;
        }
        let (_, sleep) = match &mut *self.0 {
            Some(timer) if timer.0 == at => timer,
            timer => {
                let ms = (at - transport.now()).max(0.0);
                timer.insert((at, Box::pin(transport.sleep(ms))))
            }
        };
        let slept = sleep.as_mut().poll(context);
        if slept.is_ready() {
            self.stop();
        }
        slept
    }

    pub fn stop(&mut self) {
        *self.0 = None;
    }
}
