extension PictureSet {
  /// Which part of a set is meant.
  public enum Split: String, CaseIterable, Sendable {
    /// The pictures to learn from.
    case train
    /// The pictures that are not learnt from, to measure with.
    case test
    /// Every picture: `train`, then `test`.
    case all
  }
}

/// Splits a set that has no test part of its own: about one picture in ten is held out.
///
/// The names of the pictures decide alone, so every run holds out the same ones and a new picture
/// moves no other. Of two and more pictures at least one is held out, at least one is not; a single
/// one is not held out.
enum HeldOut {
  /// The places of `names` that belong to a split, ascending.
  static func places(_ names: [String], _ split: PictureSet.Split) -> [Int] {
    guard split != .all, !names.isEmpty else { return Array(names.indices) }
    let order = names.map { SplitMix64.mix(fnv1a($0)) }
    var isHeldOut = order.map { $0 < UInt64.max / 10 }
    if !isHeldOut.contains(true), names.count > 1, let lowest = order.min() {
      order.firstIndex(of: lowest).map { isHeldOut[$0] = true }
    }
    if !isHeldOut.contains(false), let highest = order.max() {
      order.firstIndex(of: highest).map { isHeldOut[$0] = false }
    }
    return names.indices.filter { isHeldOut[$0] == (split == .test) }
  }

  /// Source: Fowler, Noll, Vo; 64-bit FNV-1a (RFC 9923).
  private static func fnv1a(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
