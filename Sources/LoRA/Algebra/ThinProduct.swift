import ComputeCore

/// The singular values and vectors of a product of two thin matrices, `up · down`, at the cost of
/// two QR factorizations and a decomposition of rank × rank.
///
/// `up = Q₁ R₁` and `downᵀ = Q₂ R₂` give `up · down = Q₁ (R₁ R₂ᵀ) Q₂ᵀ`.
package struct ThinProduct {
  /// The singular values, descending.
  package let values: [Double]
  /// `[out, k]`: left singular vectors times singular values.
  private let scaledLeft: Matrix
  /// `[columns, k]`: right singular vectors.
  private let right: Matrix

  /// Decomposes a product without computing it.
  ///
  /// - Parameters:
  ///   - up: `[out, rank]`.
  ///   - down: `[rank, columns]`.
  package init(up: Matrix, down: Matrix) {
    let (left, right) = (QRFactorization(up), QRFactorization(down.transposed))
    let core = SingularValues(left.r * right.r.transposed)
    values = core.values
    scaledLeft = left.q * core.scaledLeft
    self.right = right.q * core.right
  }

  /// The closest product of a lower rank: `up` `[out, rank]` and `down` `[rank, columns]`, whose
  /// rows are orthonormal.
  ///
  /// Source: Eckart and Young 1936; which factor gets the singular values as in kohya-ss/sd-scripts
  /// `networks/resize_lora.py`.
  package func truncated(to rank: Int) -> (up: Matrix, down: Matrix) {
    let kept = min(rank, values.count)
    return (scaledLeft.prefix(columns: kept), right.prefix(columns: kept).transposed)
  }
}

/// How the rank of a smaller adapter is chosen.
///
/// Source of the rules and their names: kohya-ss/sd-scripts `networks/resize_lora.py`,
/// `rank_resize`.
public enum RankRule: Sendable, Equatable {
  /// The same rank everywhere, less where an adapter has less.
  case fixed
  /// Values above the largest one divided by this, above 1.
  case ratio(Double)
  /// As few values as make up this share of the Frobenius norm, 0 to 1.
  case frobenius(Double)
  /// As few values as make up this share of the sum of all, 0 to 1.
  case cumulative(Double)

  /// The rank for singular values in descending order.
  ///
  /// - Parameters:
  ///   - values: at least one.
  ///   - limit: the most it may be, at least 1.
  /// - Returns: 1 or more; 1 for an adapter that changes nothing.
  package func rank(for values: [Double], limit: Int) -> Int {
    guard let largest = values.first, largest > 1e-6 else { return 1 }
    let wanted =
      switch self {
      case .fixed: limit
      case .ratio(let ratio): values.count { $0 > largest / ratio }
      case .frobenius(let share):
        RankRule.count(values.map { $0 * $0 }, untilShare: share * share)
      case .cumulative(let share): RankRule.count(values, untilShare: share)
      }
    return max(1, min(wanted, limit, values.count))
  }

  private static func count(_ values: [Double], untilShare share: Double) -> Int {
    let whole = values.reduce(0, +)
    var sum = 0.0
    for (index, value) in values.enumerated() {
      sum += value
      if sum / whole >= share { return index + 1 }
    }
    return values.count
  }
}
