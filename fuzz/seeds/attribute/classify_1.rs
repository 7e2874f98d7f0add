#[derive(Classify)]
enum Generic<'a, E, const N: usize>
where
E: Sized,
{
#[classify(transparent)]
Inner(E),
#[permanent]
Name(&'a [u8; N]),
}
