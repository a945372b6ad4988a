/// Which of the training timesteps sampling visits.
///
/// Raw values are the names in a diffusers `scheduler_config.json`.
/// Source: Lin et al. 2023, arXiv:2305.08891, Table 2.
public enum TimestepSpacing: String, CaseIterable, Codable, Sendable {
  /// From the last timestep to the first, both included.
  case linspace
  /// Multiples of a whole stride from 0 on; the last timestep is not visited.
  case leading
  /// Whole strides back from the last timestep; the one for zero terminal SNR.
  case trailing

  /// Timesteps of training to visit, falling.
  ///
  /// Equal to diffusers but where its table cannot be sampled from: `offset` stops at the last
  /// timestep, and `trailing` never has one step too many (61 of 1000 would end at timestep -1).
  /// A single point is at timestep 0 for `linspace` and `leading`, as there.
  ///
  /// - Parameters:
  ///   - steps: how many, at least 1.
  ///   - points: how many to lay out, of which the first `steps` are visited: `steps` or, for
  ///     solvers that never visit timestep 0, one more. `trailing` never visits it anyway.
  ///   - count: timesteps of training, at least `points`.
  ///   - offset: added to the timesteps of `leading`.
  /// - Returns: `steps` timesteps; those of `linspace` can have fractions.
  func timesteps(_ steps: Int, points: Int, of count: Int, offset: Int) -> [Double] {
    switch self {
    case .linspace:
      guard points > 1 else { return [0] }
      let stride = Double(count - 1) / Double(points - 1)
      return (0..<steps).map { $0 == 0 ? Double(count - 1) : Double(points - 1 - $0) * stride }
    case .leading:
      let stride = count / points
      return (0..<steps).map { Double(min((points - 1 - $0) * stride + offset, count - 1)) }
    case .trailing:
      let stride = Double(count) / Double(steps)
      // NumPy's arange steps by the difference of its first two elements, rounded.
      let difference = (Double(count) - stride) - Double(count)
      return (0..<steps).map { index in
        let point = Double(count) + Double(index) * difference
        return max(0, point.rounded(.toNearestOrEven) - 1)
      }
    }
  }
}
