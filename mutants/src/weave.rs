//! All mutants of a file woven into its text, each behind a question whether it is on.
//!
//! ```text
//! a + b       match (a, b) { (left, right) => if on(7) { left - right } else { left + right } }
//! a && b      ((a) ^ on(7) && (b) ^ on(7)) ^ on(7)                     which is `a || b` if it is on
//! fn f() {    fn f() { if on(7) { return 1; }
//! A => x,     A if !on(7) => x,
//! ```

use crate::Result;
use crate::mutant::{Genre, Mutant};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Arm, BinOp, Expr, ExprBinary, ExprMatch, ExprStruct, ExprUnary, Pat};

/// The file's new text, and where in it each mutant stands.
#[derive(Debug)]
pub struct Woven {
    pub text: String,
    pub places: Vec<Place>,
    /// Mutants that only a build of their own can show: the compiler evaluates them.
    pub constant: Vec<u32>,
    /// Mutants that cannot compile.
    pub unviable: Vec<u32>,
}

/// Where an error means that one of these mutants does not compile.
#[derive(Debug)]
pub struct Place {
    pub range: Range<usize>,
    pub mutants: Vec<u32>,
}

pub fn weave(text: &str, mutants: &[&Mutant]) -> Result<Woven> {
    let file = syn::parse_file(text)?;
    let lines = Lines::of(text);
    let mut finder = Finder::new(&lines, mutants);
    finder.visit_file(&file);
    let Finder { mut nodes, mut left, constant, unviable, .. } = finder;
    for mutant in left.extract_if(.., |mutant| mutant.genre == Genre::FnValue) {
        nodes.push(Node::value(mutant, &lines));
    }
    if let Some(lost) = left.first() {
        return Err(format!("no place for {}", lost.name).into());
    }
    nodes.sort_by_key(|node| (node.range.start, !node.range.is_empty(), Reverse(node.range.end)));
    let mut render = Render { text, nodes: &nodes, woven: String::new(), places: Vec::new() };
    render.between(0..text.len(), 0);
    Ok(Woven { text: render.woven, places: render.places, constant, unviable })
}

/// What stands in the place of a part of the text.
struct Node {
    range: Range<usize>,
    mutants: Vec<u32>,
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    /// A part of the original, with what is woven into it.
    Part(Range<usize>),
    /// A text that is one mutant's alone.
    Only(u32, String),
}

impl Node {
    fn value(mutant: &Mutant, lines: &Lines) -> Self {
        let at = lines.offset(mutant.start);
        let text = format!("if ::mutant_switch::on({}) {{ return {}; }} ", mutant.number, mutant.replacement);
        Self { range: at..at, mutants: vec![mutant.number], pieces: vec![Piece::Only(mutant.number, text)] }
    }
}

struct Render<'t> {
    text: &'t str,
    nodes: &'t [Node],
    woven: String,
    places: Vec<Place>,
}

impl Render<'_> {
    /// A part of the text; nodes before the given one are not woven into it.
    fn between(&mut self, range: Range<usize>, first: usize) {
        let (text, nodes) = (self.text, self.nodes);
        let mut at = range.start;
        for (index, node) in nodes.iter().enumerate().skip(first) {
            if node.range.start >= at && node.range.end <= range.end {
                self.woven.push_str(&text[at..node.range.start]);
                self.node(index);
                at = node.range.end;
            }
        }
        self.woven.push_str(&text[at..range.end]);
    }

    fn node(&mut self, index: usize) {
        let node = &self.nodes[index];
        let start = self.woven.len();
        for piece in &node.pieces {
            match piece {
                Piece::Text(text) => self.woven.push_str(text),
                Piece::Part(range) => self.between(range.clone(), index + 1),
                Piece::Only(mutant, text) => {
                    let start = self.woven.len();
                    self.woven.push_str(text);
                    self.places.push(Place { range: start..self.woven.len(), mutants: vec![*mutant] });
                }
            }
        }
        self.places.push(Place { range: start..self.woven.len(), mutants: node.mutants.clone() });
    }
}

/// Turns lines and columns, in characters, into bytes.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Line and column from 1.
    fn offset(&self, (line, column): (usize, usize)) -> usize {
        let start = self.starts[line - 1];
        let rest = &self.text[start..];
        start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(at, _)| at)
    }

    fn range(&self, span: proc_macro2::Span) -> Range<usize> {
        let (start, end) = (span.start(), span.end());
        self.offset((start.line, start.column + 1))..self.offset((end.line, end.column + 1))
    }
}

/// Finds for each mutant the expression that it changes.
struct Finder<'t, 'm> {
    lines: &'t Lines<'t>,
    by_start: HashMap<(Genre, usize), Vec<&'m Mutant>>,
    left: Vec<&'m Mutant>,
    nodes: Vec<Node>,
    constant: Vec<u32>,
    unviable: Vec<u32>,
    is_constant: bool,
    is_constant_function: bool,
}

impl<'t, 'm> Finder<'t, 'm> {
    fn new(lines: &'t Lines<'t>, mutants: &[&'m Mutant]) -> Self {
        let mut by_start: HashMap<_, Vec<_>> = HashMap::new();
        for mutant in mutants {
            by_start.entry((mutant.genre, lines.offset(mutant.start))).or_default().push(*mutant);
        }
        Self {
            lines,
            by_start,
            left: mutants.to_vec(),
            nodes: Vec::new(),
            constant: Vec::new(),
            unviable: Vec::new(),
            is_constant: false,
            is_constant_function: false,
        }
    }

    fn at(&mut self, genre: Genre, start: usize) -> Vec<&'m Mutant> {
        let found = self.by_start.remove(&(genre, start)).unwrap_or_default();
        self.left.retain(|mutant| !found.iter().any(|found| found.number == mutant.number));
        if self.is_constant {
            self.constant.extend(found.iter().map(|mutant| mutant.number));
            return Vec::new();
        }
        found
    }

    fn constant<T>(&mut self, visit: impl FnOnce(&mut Self) -> T) {
        let before = std::mem::replace(&mut self.is_constant, true);
        let _ = visit(self);
        self.is_constant = before;
    }

    fn push(&mut self, range: Range<usize>, mutants: &[&Mutant], pieces: Vec<Piece>) {
        self.nodes.push(Node { range, mutants: mutants.iter().map(|mutant| mutant.number).collect(), pieces });
    }
}

fn on(mutant: &Mutant) -> String {
    format!("::mutant_switch::on({})", mutant.number)
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

/// `if on(1) { … } else if on(2) { … } else { … }`.
fn choice(mutants: &[&Mutant], changed: impl Fn(&Mutant) -> String, unchanged: &str) -> Vec<Piece> {
    let mut pieces: Vec<_> = mutants
        .iter()
        .map(|mutant| Piece::Only(mutant.number, format!("if {} {{ {} }} else ", on(mutant), changed(mutant))))
        .collect();
    pieces.push(Piece::Text(format!("{{ {unchanged} }}")));
    pieces
}

/// Of `&&` and `||` each is the other with all three negated.
fn lazy(mutants: &[&Mutant], operator: &str, (left, right): (Piece, Piece)) -> Vec<Piece> {
    let flips: Vec<_> = mutants.iter().map(|mutant| format!("^ {}", on(mutant))).collect();
    let flips = flips.join(" ");
    let (between, behind) = (format!(") {flips}) {operator} (("), format!(") {flips})) {flips})"));
    vec![text("(((("), left, Piece::Text(between), right, Piece::Text(behind)]
}

fn assignment(mutants: &[&Mutant], operator: &str, (left, right): (Piece, Piece)) -> Vec<Piece> {
    let mut pieces = vec![text("match ("), right, text(") { right => { let place = &mut ("), left, text("); ")];
    let changed = |mutant: &Mutant| format!("*place {} right", mutant.replacement);
    pieces.extend(choice(mutants, changed, &format!("*place {operator} right")));
    pieces.push(text(" } }"));
    pieces
}

/// What is compared may not be moved, and is borrowed.
fn operation_by(borrow: &str, mutants: &[&Mutant], operator: &str, (left, right): (Piece, Piece)) -> Vec<Piece> {
    let (front, between) = (format!("(match ({borrow}("), format!("), {borrow}("));
    let mut pieces = vec![Piece::Text(front), left, Piece::Text(between), right, text(")) { (left, right) => ")];
    let changed = |mutant: &Mutant| format!("left {} right", mutant.replacement);
    pieces.extend(choice(mutants, changed, &format!("left {operator} right")));
    pieces.push(text(" })"));
    pieces
}

fn is_comparison(operator: &BinOp) -> bool {
    matches!(operator, BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_))
}

fn is_assignment(operator: &BinOp) -> bool {
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

fn holds_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => holds_let(&binary.left) || holds_let(&binary.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder<'_, '_> {
    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        let operator = self.lines.range(binary.op.span());
        let mutants = self.at(Genre::BinaryOperator, operator.start);
        if holds_let(&binary.left) || holds_let(&binary.right) {
            // Only `&&` may join what is bound.
            self.unviable.extend(mutants.iter().map(|mutant| mutant.number));
        } else if !mutants.is_empty() {
            let (left, right) = (self.lines.range(binary.left.span()), self.lines.range(binary.right.span()));
            let range = left.start..right.end;
            let operands = (Piece::Part(left), Piece::Part(right));
            let operator = &self.lines.text[operator];
            let pieces = match binary.op {
                BinOp::And(_) | BinOp::Or(_) => lazy(&mutants, operator, operands),
                operation if is_assignment(&operation) => assignment(&mutants, operator, operands),
                operation => {
                    let borrow = if is_comparison(&operation) && !self.is_constant_function { "&" } else { "" };
                    operation_by(borrow, &mutants, operator, operands)
                }
            };
            self.push(range, &mutants, pieces);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast ExprUnary) {
        let operator_range = self.lines.range(unary.op.span());
        let mutants = self.at(Genre::UnaryOperator, operator_range.start);
        if !mutants.is_empty() {
            let inside = self.lines.range(unary.expr.span());
            let range = operator_range.start..inside.end;
            let mut pieces = vec![text("(match ("), Piece::Part(inside), text(") { value => ")];
            let operator = &self.lines.text[operator_range];
            pieces.extend(choice(&mutants, |_| "value".to_owned(), &format!("{operator}value")));
            pieces.push(text(" })"));
            self.push(range, &mutants, pieces);
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        let start = self.lines.range(arm.pat.span()).start;
        let start = arm.attrs.first().map_or(start, |attribute| self.lines.range(attribute.span()).start);
        let mut deleted = self.at(Genre::MatchArm, start);
        if deleted.is_empty() {
            let start = self.lines.range(arm.pat.span()).start;
            deleted = self.at(Genre::MatchArm, start);
        }
        let not_deleted: Vec<_> = deleted.iter().map(|mutant| format!("!{}", on(mutant))).collect();
        if let Pat::Guard(guarded) = &arm.pat {
            let range = self.lines.range(guarded.guard.span());
            let replaced = self.at(Genre::MatchArmGuard, range.start);
            if !(deleted.is_empty() && replaced.is_empty()) {
                let by =
                    |value: &str| replaced.iter().filter(|mutant| mutant.replacement == value).map(|m| on(m)).collect::<Vec<_>>();
                let mut front = not_deleted;
                front.extend(by("false").iter().map(|on| format!("!{on}")));
                let truths: Vec<_> = by("true").into_iter().chain([String::new()]).collect();
                front.push(format!("({}(", truths.join(" || ")));
                let pieces = vec![Piece::Text(front.join(" && ")), Piece::Part(range.clone()), text("))")];
                let all: Vec<_> = deleted.iter().chain(&replaced).copied().collect();
                self.push(range, &all, pieces);
            }
        } else if !deleted.is_empty() {
            let end = self.lines.range(arm.pat.span()).end;
            let guard = format!(" if {}", not_deleted.join(" && "));
            self.push(end..end, &deleted, vec![Piece::Text(guard)]);
        }
        match &arm.pat {
            Pat::Guard(guarded) => self.visit_expr(&guarded.guard),
            pattern => self.visit_pat(pattern),
        }
        self.visit_expr(&arm.body);
    }

    /// Where only a guarded `_` is left, each arm is needed.
    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        if !expression.arms.iter().any(|arm| matches!(arm.pat, Pat::Wild(_))) {
            for arm in &expression.arms {
                let start = self.lines.range(arm.pat.span()).start;
                self.constant(|finder| finder.at(Genre::MatchArm, start));
            }
        }
        visit::visit_expr_match(self, expression);
    }

    fn visit_expr_struct(&mut self, expression: &'ast ExprStruct) {
        let whole = self.lines.range(expression.span());
        for pair in expression.fields.pairs() {
            let field = pair.value();
            let range = self.lines.range(field.span());
            let mutants = self.at(Genre::StructField, range.start);
            if let Some(mutant) = mutants.first() {
                let end = pair.punct().map_or(range.end, |comma| self.lines.range(comma.span()).end);
                let pieces = vec![
                    Piece::Text(format!("(if {} {{ ", on(mutant))),
                    Piece::Part(whole.start..range.start),
                    Piece::Part(end..whole.end),
                    text(" } else { "),
                    Piece::Part(whole.clone()),
                    text(" })"),
                ];
                self.push(whole.clone(), &mutants, pieces);
            }
        }
        visit::visit_expr_struct(self, expression);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.is_constant_function = signature.constness.is_some();
        visit::visit_signature(self, signature);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant(|finder| visit::visit_item_const(finder, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constant(|finder| visit::visit_item_static(finder, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constant(|finder| visit::visit_impl_item_const(finder, item));
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.constant(|finder| visit::visit_trait_item_const(finder, item));
    }

    fn visit_expr_const(&mut self, item: &'ast syn::ExprConst) {
        self.constant(|finder| visit::visit_expr_const(finder, item));
    }

    fn visit_variant(&mut self, item: &'ast syn::Variant) {
        self.constant(|finder| visit::visit_variant(finder, item));
    }

    fn visit_type(&mut self, item: &'ast syn::Type) {
        self.constant(|finder| visit::visit_type(finder, item));
    }

    fn visit_expr_repeat(&mut self, item: &'ast syn::ExprRepeat) {
        self.visit_expr(&item.expr);
        self.constant(|finder| finder.visit_expr(&item.len));
    }

    fn visit_generic_argument(&mut self, item: &'ast syn::GenericArgument) {
        self.constant(|finder| visit::visit_generic_argument(finder, item));
    }

    fn visit_pat(&mut self, item: &'ast syn::Pat) {
        self.constant(|finder| visit::visit_pat(finder, item));
    }
}
