//! The program as a process, against a server that fails on purpose.

mod disk;
mod endings;
mod files;
mod interrupted;
mod support;
