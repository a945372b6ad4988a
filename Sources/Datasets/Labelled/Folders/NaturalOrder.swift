/// Whether a name comes before another one when runs of digits count as numbers: "2" before "10".
///
/// Names that differ only in leading zeros are in the order of their characters, as is the rest.
func naturallyPrecedes(_ a: String, _ b: String) -> Bool {
  var (x, y) = (Array(a.utf8)[...], Array(b.utf8)[...])
  while let first = x.first, let second = y.first {
    if isDigit(first) && isDigit(second) {
      let (left, right) = (takeNumber(&x), takeNumber(&y))
      if left.count != right.count { return left.count < right.count }
      if !left.elementsEqual(right) { return left.lexicographicallyPrecedes(right) }
    } else {
      if first != second { return first < second }
      x.removeFirst()
      y.removeFirst()
    }
  }
  if x.isEmpty && y.isEmpty { return a < b }
  return x.isEmpty
}

private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

/// Takes the digits off the front; returns them without leading zeros.
private func takeNumber(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  let digits = bytes.prefix(while: isDigit)
  bytes = bytes[digits.endIndex...]
  return digits.drop { $0 == 48 }
}
