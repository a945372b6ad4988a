/// Floating-point operations of products, convolutions and attention; a multiply-add is two.
///
/// What a layer costs by the direct method, whatever the kernel does. Norms and elementwise
/// functions are left out, as torch's `FlopCounterMode` does.
struct WorkCount {
  private(set) var operations = 0

  /// A linear layer, or with `kernel` a convolution of `rows` results with as many taps squared.
  mutating func add(_ inputs: Int, _ outputs: Int, rows: Int, kernel: Int = 1) {
    operations += 2 * rows * inputs * outputs * kernel * kernel
  }

  /// Scores and weighted sums of `items` sequences, all heads together.
  mutating func addAttention(items: Int, queries: Int, keys: Int, channels: Int) {
    operations += 4 * items * queries * keys * channels
  }

  /// A residual block over `rows` pixels of `items` pictures.
  mutating func addResnet(
    _ inputs: Int, _ outputs: Int, rows: Int, items: Int, tembChannels: Int? = nil
  ) {
    add(inputs, outputs, rows: rows, kernel: 3)
    add(outputs, outputs, rows: rows, kernel: 3)
    if inputs != outputs { add(inputs, outputs, rows: rows) }
    if let tembChannels { add(tembChannels, outputs, rows: items) }
  }
}
