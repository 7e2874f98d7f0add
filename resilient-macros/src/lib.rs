//! The attribute and the derive of `resilient-fn`.
