//! Things by their number.

/// Numbers calls, groups, sends and questions, all in one row.
pub(crate) type Id = u64;

/// A map whose keys only grow, so that it is a sorted list.
pub(super) struct Table<T>(Vec<(Id, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> {
    /// `id` is greater than all that have been inserted before.
    pub fn insert(&mut self, id: Id, value: T) {
        self.0.push((id, value));
    }

    pub fn get(&self, id: Id) -> Option<&T> {
        self.0.get(self.place(id)?).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        let place = self.place(id)?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    pub fn remove(&mut self, id: Id) -> Option<T> {
        let place = self.place(id)?;
        Some(self.0.remove(place).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        self.0.iter().map(|(id, value)| (*id, value))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn place(&self, id: Id) -> Option<usize> {
        self.0.binary_search_by_key(&id, |(id, _)| *id).ok()
    }
}
