//! Things by their number.

/// Numbers calls, groups, sends and questions, all in one row.
pub(crate) type Id = u64;

/// A map whose keys only grow, so that it is a sorted list. What is removed
/// leaves a gap until there are many. (`Vec::remove` would bring the formatting
/// of its panic into the module.)
pub(super) struct Table<T> {
    entries: Vec<(Id, Option<T>)>,
    count: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            count: 0,
        }
    }
}

impl<T> Table<T> {
    /// `id` is greater than all that have been inserted before.
    pub fn insert(&mut self, id: Id, value: T) {
        self.entries.push((id, Some(value)));
        self.count += 1;
    }

    pub fn get(&self, id: Id) -> Option<&T> {
        self.entries.get(self.place(id)?)?.1.as_ref()
    }

    pub fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        let place = self.place(id)?;
        self.entries.get_mut(place)?.1.as_mut()
    }

    pub fn remove(&mut self, id: Id) -> Option<T> {
        let place = self.place(id)?;
        let value = self.entries.get_mut(place)?.1.take()?;
        self.count -= 1;
        if self.entries.len() > 2 * self.count + 16 || self.count == 0 {
            self.entries.retain(|(_, value)| value.is_some());
        }
        Some(value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        let entries = self.entries.iter();
        entries.filter_map(|(id, value)| Some((*id, value.as_ref()?)))
    }

    /// All keys: what happens to one may remove others.
    pub fn ids(&self) -> Vec<Id> {
        self.iter().map(|(id, _)| id).collect()
    }

    pub fn len(&self) -> usize {
        self.count
    }

    fn place(&self, id: Id) -> Option<usize> {
        self.entries.binary_search_by_key(&id, |(id, _)| *id).ok()
    }
}
