import Checkpoints
import ComputeCore
import Layers

/// A model of two layers, for tests of loading.
final class TinyModel: ConfiguredModule {
  struct Config: ModelConfig, Equatable {
    var inChannels = 2
    var layersPerBlock = IntOrList.one(3)
    var scale: Float = 0.5
    var shiftFactor: Float?
    var isDeep = false
    static let supportedValues = ["act_fn": ["\"silu\"", "null"], "dropout": ["0"]]
    static let identity: [String: ConfigValue] = ["_class_name": .string("TinyModel")]
  }

  let config: Config
  let conv: Conv2d
  let toOut: Linear
  static let keyOverrides = ["toOut": "to_out.0"]
  static let weightsName = "diffusion_pytorch_model"
  static let keyMap = KeyMap("tiny") { $0 == "position_ids" ? nil : $0 }

  init(_ config: Config) throws(ConfigError) {
    guard config.inChannels > 0 else {
      throw ConfigError("in_channels", found: "\(config.inChannels)", expected: "1 or more")
    }
    self.config = config
    conv = Conv2d(config.inChannels, 3, kernelSize: 2)
    toOut = Linear(3, 4, isPointwise: true)
  }

  /// With numbers counted up through all parameters, in checkpoint order.
  static func counted() throws -> TinyModel {
    let model = try TinyModel(Config())
    var next: Float = 0
    for (_, parameter) in model.namedParameters() {
      let values = (0..<parameter.count).map { next + Float($0) }
      parameter.value = parameter.fromCheckpoint(Tensor(values, parameter.checkpointShape))
      next += Float(parameter.count)
    }
    return model
  }

  var numbers: [Float] { namedParameters().flatMap { $0.parameter.checkpointValue.values } }
}
