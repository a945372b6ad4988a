/// The polynomials through 1 at one node and 0 at the others, one for each node.
///
/// - Parameter nodes: all different.
/// - Returns: coefficients, that of the constant first; as many as nodes.
func lagrangeBasis(_ nodes: [Double]) -> [[Double]] {
  nodes.indices.map { own in
    nodes.indices.filter { $0 != own }.reduce([1]) { polynomial, other in
      let scale = 1 / (nodes[own] - nodes[other])
      let shifted = [0] + polynomial.map { $0 * scale }
      let constant = polynomial.map { -$0 * nodes[other] * scale } + [0]
      return zip(shifted, constant).map { $0 + $1 }
    }
  }
}

/// The value of a polynomial, coefficients as in `lagrangeBasis`.
func value(_ polynomial: [Double], at x: Double) -> Double {
  polynomial.reversed().reduce(0) { $0 * x + $1 }
}

/// The derivative of a polynomial, coefficients as in `lagrangeBasis`.
func derivative(of polynomial: [Double]) -> [Double] {
  polynomial.indices.dropFirst().map { polynomial[$0] * Double($0) }
}
