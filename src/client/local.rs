//! Values of one thread in a client that any thread may own.

#[cfg(target_arch = "wasm32")]
pub(crate) use send_wrapper::SendWrapper as Local;

/// On a host a client with a provider, a listener or a request in flight stays
/// where it is: nothing stands in the way of the compiler.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Default)]
pub(crate) struct Local<T>(T);

#[cfg(not(target_arch = "wasm32"))]
impl<T> Local<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<T> std::ops::Deref for Local<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<T> std::ops::DerefMut for Local<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
