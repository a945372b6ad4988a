import ComputeCore
import Layers

/// What became of the adapters of a file.
public final class AttachedLoRA {
  /// The adapters that compute beside their layers: one network for each model that has some.
  public let networks: [LoRANetwork]
  /// Names of tensors for models that were not given, such as a text encoder.
  public let skippedKeys: [String]
  /// Names of tensors for layers that the models do not have, where these were allowed.
  public let unmatchedKeys: [String]
  private var patched: [LoRAComponent: [PatchedParameter]]
  /// Told after its changes were taken back.
  var whenDetached: () -> Void = {}
  private var strengths: [LoRAComponent: Float] = [:]

  init(
    networks: [LoRANetwork], patched: [LoRAComponent: [PatchedParameter]],
    _ matches: LoRAMatches
  ) {
    self.networks = networks
    self.patched = patched
    skippedKeys = matches.skippedKeys
    unmatchedKeys = matches.unmatchedKeys
  }

  /// Factor of all adapters: 0 switches them off, 1 is as trained; setting it sets that of the
  /// U-Net and of the text encoder.
  public var strength: Float {
    get { self[.unet] ?? self[.textEncoder] ?? 1 }
    set { setStrength(newValue, textEncoder: newValue) }
  }

  /// Factor of the adapters of one model, `nil` when the file has none for it.
  public subscript(component: LoRAComponent) -> Float? { strengths[component] }

  /// Sets the factors of the U-Net's and the text encoder's adapters.
  public func setStrength(_ unet: Float, textEncoder: Float) {
    for (component, value) in [
      (LoRAComponent.unet, unet), (.textEncoder, textEncoder), (.secondTextEncoder, textEncoder),
    ] {
      let own = networks.filter { $0.component == component }
      guard !own.isEmpty || patched[component] != nil else { continue }
      strengths[component] = value
      for network in own { network.strength = value }
      for parameter in patched[component] ?? [] {
        parameter.setStrength(value, of: ObjectIdentifier(self))
        parameter.update()
      }
    }
  }

  /// Takes all adapters off their layers, whose weights become what they were.
  public func detach() {
    for network in networks { network.detach() }
    for parameter in patched.values.joined() {
      parameter.remove(ObjectIdentifier(self))
      parameter.update()
    }
    (patched, strengths) = ([:], [:])
    whenDetached()
  }
}
