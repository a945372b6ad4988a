import Foundation

/// How values are spread along an axis.
public enum AxisScale: String, CaseIterable, Sendable {
  /// Equal differences are equal distances.
  case linear
  /// Equal ratios are equal distances; values must be positive.
  case logarithmic
}

/// The mapping of values to 0...1 along an axis, and its ticks.
package struct Axis: Sendable {
  package struct Tick: Equatable, Sendable {
    package let value: Double
    package let label: String
  }

  package let scale: AxisScale
  /// The lower end: a value, or its decimal logarithm on a logarithmic axis.
  package let low: Double
  /// The upper end, in the same terms.
  package let high: Double
  package let ticks: [Tick]

  /// An axis that shows all finite `values`.
  ///
  /// - Parameters:
  ///   - values: in any order; on a logarithmic axis those that are not positive do not count.
  ///   - scale: how they are spread.
  ///   - margin: empty part at either end, relative to the values' range.
  ///   - maxTicks: about how many ticks there may be, at least 2.
  package init(values: some Sequence<Double>, scale: AxisScale, margin: Double, maxTicks: Int) {
    let shown = values.lazy.filter { $0.isFinite && (scale == .linear || $0 > 0) }
      .map { scale == .linear ? $0 : log10($0) }
    var least = Double.infinity
    var most = -Double.infinity
    for value in shown {
      least = min(least, value)
      most = max(most, value)
    }
    if least > most { (least, most) = (0, 1) }
    if most - least < max(abs(least), abs(most)) * 1e-9 || most == least {
      let spread = scale == .linear ? max(abs(least) * 0.5, 0.5) : 0.5
      (least, most) = (least - spread, most + spread)
    }
    let pad = (most - least) * margin
    self.scale = scale
    low = least - pad
    high = most + pad
    ticks =
      scale == .linear
      ? Self.linearTicks(low, high, maxTicks) : Self.logarithmicTicks(low, high, maxTicks)
  }

  /// Where `value` lies between the ends, 0...1 inside; `nil` for what the axis cannot show.
  package func position(_ value: Double) -> Double? {
    guard value.isFinite, scale == .linear || value > 0 else { return nil }
    let position = ((scale == .linear ? value : log10(value)) - low) / (high - low)
    return position.isFinite ? position : nil
  }

  /// Multiples of 1, 2 or 5 times a power of ten.
  ///
  /// Source: Heckbert 1990, "Nice numbers for graph labels", Graphics Gems.
  package static func linearTicks(_ low: Double, _ high: Double, _ maxTicks: Int) -> [Tick] {
    let rough = (high - low) / Double(max(maxTicks, 2))
    let power = pow(10, log10(rough).rounded(.down))
    let factor = [1.0, 2, 5, 10].first { $0 * power >= rough * (1 - 1e-9) } ?? 10
    let step = factor * power
    let first = (low / step - 1e-9).rounded(.up)
    let last = (high / step + 1e-9).rounded(.down)
    guard first <= last, last - first < 1000 else { return [] }
    let largest = max(abs(first), abs(last)) * step
    return stride(from: first, through: last, by: 1).map {
      Tick(value: $0 * step, label: label($0 * step, step: step, largest: largest))
    }
  }

  /// Powers of ten, thinned out when many; with their 2 and 5 folds, or linear ticks, when few.
  private static func logarithmicTicks(_ low: Double, _ high: Double, _ maxTicks: Int) -> [Tick] {
    let decades = Int(low.rounded(.down))...Int(high.rounded(.up))
    let every = max(1, (decades.count + maxTicks - 1) / maxTicks)
    let factors = high - low > Double(maxTicks) / 3 ? [1.0] : [1.0, 2, 5]
    let ticks = decades.filter { $0 % every == 0 }.flatMap { exponent in
      factors.compactMap { factor -> Tick? in
        let value = factor * pow(10, Double(exponent))
        let isInside = log10(value) >= low - 1e-9 && log10(value) <= high + 1e-9
        return isInside ? Tick(value: value, label: label(value, step: value, largest: value)) : nil
      }
    }
    if ticks.count >= 3 { return ticks }
    return linearTicks(pow(10, low), pow(10, high), maxTicks).filter { $0.value > 0 }
  }

  /// As few digits as tell ticks of this distance apart: `0.25`, `20`, `15k`, `1.5M`, `2e-05`.
  ///
  /// All ticks of an axis take the unit that suits the `largest`.
  private static func label(_ value: Double, step: Double, largest: Double) -> String {
    if abs(value) < step * 1e-6 { return "0" }
    for (unit, least, suffix) in [(1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e3, 1e4, "k")]
    where largest >= least {
      return decimal(value / unit, step: step / unit) + suffix
    }
    if largest < 2e-3 {
      let digits = step < abs(value) * (1 - 1e-9) && step < largest / 5 ? 1 : 0
      return String(format: "%.\(digits)e", value)
    }
    return decimal(value, step: step)
  }

  private static func decimal(_ value: Double, step: Double) -> String {
    let digits = Int(max(0, -log10(step * (1 + 1e-9))).rounded(.up))
    return String(format: "%.\(min(digits, 9))f", value)
  }
}
