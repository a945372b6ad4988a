import CKernels
import Synchronization

/// A piece of a right factor as it lies in memory: element (i, j) is at `i·kStride + j·nStride`.
struct FactorPiece {
  let pointer: UnsafePointer<Float>
  /// First row of the factor that the piece fills.
  let kOffset: Int
  let k: Int
  let kStride: Int
  let nStride: Int
}

/// The right factor of a product, packed for the kernel of this CPU.
final class PackedFactor: @unchecked Sendable {
  /// Length of the summed axis, padding included.
  let k: Int
  let columns: Int
  /// Elements between the factors of two places of Winograd's algorithm; 0 for a direct product.
  let plane: Int
  /// Where the panels are made from when they are used; `pointer` is of no use then.
  let turned: TurnedFactor?
  private let storage: Storage

  /// Length of the summed axis of a product of Winograd's algorithm: kernels that are kept as they
  /// are have nine taps of it.
  var winogradRows: Int { plane == 0 && turned == nil ? k / 9 : k }

  var pointer: UnsafeRawPointer { UnsafeRawPointer(storage.pointer) }

  /// A factor that is made panel by panel.
  init(_ turned: TurnedFactor) {
    (k, columns, plane, self.turned) = (turned.k, turned.inputs, 0, turned)
    storage = Storage(byteCount: 0)
  }

  /// Bytes of a packed factor.
  static func byteCount(k: Int, columns: Int, type: FactorType) -> Int {
    panelCount(columns) * ck_gemm_panel() * k * type.byteCount
  }

  /// All panels of `turned`, made on all threads.
  init(making turned: TurnedFactor) {
    (k, columns, self.turned) = (turned.k, turned.inputs, nil)
    let panels = panelCount(turned.inputs)
    let size = panels * ck_gemm_panel() * turned.k
    let isWinograd = turned.forward.plane > 0
    let (plane, bytes) = (isWinograd ? size : 0, FactorType.bfloat16.byteCount)
    let storage = Storage(byteCount: (isWinograd ? Int(CK_WINOGRAD_PLACES) : 1) * size * bytes)
    (self.plane, self.storage) = (plane, storage)
    ThreadPool.shared.run(items: panels) { panel in
      let target = storage.pointer + panel * ck_gemm_panel() * turned.k * bytes
      if isWinograd {
        turned.fillWinograd(target, plane: plane, panels: panel..<panel + 1)
      } else {
        turned.fill(target, panels: panel..<panel + 1)
      }
    }
  }

  /// Packs `pieces`, which together fill all `k` rows, on all threads; `lasts` when it is kept.
  init(k: Int, columns: Int, type: FactorType, lasts: Bool = false, pieces: [FactorPiece]) {
    self.k = k
    self.columns = columns
    (plane, turned) = (0, nil)
    let byteCount = PackedFactor.byteCount(k: k, columns: columns, type: type)
    let storage = lasts ? Storage(lasting: byteCount) : Storage(byteCount: byteCount)
    self.storage = storage
    ThreadPool.shared.run(items: panelCount(columns)) { panel in
      for piece in pieces {
        PackedFactor.pack(
          piece, into: storage.pointer, k: k, columns: columns, type: type,
          panels: panel..<panel + 1)
      }
    }
  }

  /// Transforms and packs 3x3 kernels at `weight` for Winograd's algorithm, on all threads.
  init(
    winograd weight: UnsafePointer<Float>, _ kernel: ck_winograd_kernel_t, k: Int, columns: Int,
    type: FactorType, lasts: Bool
  ) {
    let (padded, width, panels) = (type.padded(k), ck_gemm_panel(), panelCount(columns))
    let plane = panels * width * padded
    let byteCount = Int((kernel.side + 2) * (kernel.side + 2)) * plane * type.byteCount
    let storage = lasts ? Storage(lasting: byteCount) : Storage(byteCount: byteCount)
    (self.k, self.columns, self.plane, self.storage) = (padded, columns, plane, storage)
    turned = nil
    ThreadPool.shared.run(items: panels) { panel in
      var kernel = kernel
      switch type {
      case .float32:
        ck_winograd_weights_f32(
          storage.pointer.assumingMemoryBound(to: Float.self), plane, padded, weight, &kernel, k,
          columns, panel)
      case .bfloat16:
        ck_winograd_weights_bf16(
          storage.pointer.assumingMemoryBound(to: UInt16.self), plane, padded, weight, &kernel, k,
          columns, panel)
      }
    }
  }

  /// Packs one piece into memory of `byteCount(k:columns:type:)` bytes on the calling thread.
  static func pack(
    _ piece: FactorPiece, into target: UnsafeMutableRawPointer, k: Int, columns: Int,
    type: FactorType, panels: Range<Int>
  ) {
    switch type {
    case .float32:
      ck_pack_b_f32(
        target.assumingMemoryBound(to: Float.self), k, piece.kOffset, piece.pointer, piece.k,
        columns, piece.kStride, piece.nStride, panels.lowerBound, panels.upperBound)
    case .bfloat16:
      ck_pack_b_bf16(
        target.assumingMemoryBound(to: UInt16.self), k, piece.kOffset, piece.pointer, piece.k,
        columns, piece.kStride, piece.nStride, panels.lowerBound, panels.upperBound)
    }
  }
}

/// Which product of a layer a weight is packed for, and how it is computed.
enum WeightUse: Hashable, Sendable {
  case forward
  /// As `forward`, in two parts that are multiplied separately.
  case splitForward
  case inputGradient
  case winogradForward(side: Int)
  case winogradInputGradient(side: Int)
}

/// Packed forms of one frozen weight, kept beside its numbers.
final class PackedForms: Sendable {
  private struct Key: Hashable {
    let use: WeightUse
    let type: FactorType
    /// The weight's: tensors of several shapes may share their numbers.
    let shape: Shape
  }

  private let forms = Mutex<[Key: PackedFactor]>([:])

  /// The packed form for `use`, if it was made.
  func known(_ use: WeightUse, _ type: FactorType, _ shape: Shape) -> PackedFactor? {
    forms.withLock { $0[Key(use: use, type: type, shape: shape)] }
  }

  /// The packed form of a weight of `shape` for `use`, made by `make` on the first call; one that
  /// `lasts` gets memory of its own, outside the buffer cache.
  func form(
    _ use: WeightUse, _ type: FactorType, _ shape: Shape, lasts: Bool,
    make: (_ lasts: Bool) -> PackedFactor
  ) -> PackedFactor {
    let key = Key(use: use, type: type, shape: shape)
    if let known = forms.withLock({ $0[key] }) { return known }
    let made = lasts ? BufferCache.shared.preparing { make(true) } : make(false)
    forms.withLock { $0[key] = made }
    return made
  }
}

extension Tensor {
  /// The numbers as `float32`, to be packed: not kept if they can be read again.
  package var forPacking: Tensor {
    Tensor(shape: shape, dtype: dtype, storage: storage.readOnce(), node: nil).cast(to: .float32)
  }

  /// This weight packed for `use`.
  ///
  /// Kept when it is frozen or small, made anew while it is being trained otherwise. The small
  /// weights of a GAN are used several times in each step.
  func packed(
    _ use: WeightUse, _ type: FactorType, make: (_ lasts: Bool) -> PackedFactor
  ) -> PackedFactor {
    let isSmall = count <= 1 << 18
    if isRecorded && !isSmall { return make(false) }
    return storage.packedForms.form(use, type, shape, lasts: !isSmall, make: make)
  }
}
