import ArgumentParser
import Checkpoints
import ComputeCore
import Datasets
import Evaluation
import Foundation
import Layers
import Models

/// The network whose features a user wants compared, and the pictures it takes.
struct FeatureSource {
  let network: FeatureNetwork
  /// Height and width of its pictures; `nil` when it takes any.
  let size: Int?
  /// Channels of its pictures.
  let channels: Int

  /// Loads a classifier's folder, or a safetensors file of a known network.
  init(_ path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ValidationError(
        "there is no file or folder \(path). Give the folder of a classifier (imgen classify "
          + "train), or a safetensors file of EfficientNet-Lite0 or InceptionV3.")
    }
    if isFolder.boolValue {
      try self.init(PictureClassifier.load(folder: path, isFrozen: true))
    } else {
      try self.init(file: SafetensorsFile(path))
    }
  }

  private init(_ classifier: PictureClassifier) {
    network = FeatureNetwork(classifier)
    size = classifier.config.height == classifier.config.width ? classifier.config.height : nil
    channels = classifier.config.inChannels
  }

  /// Tells the networks apart by the names of their tensors.
  private init(file: SafetensorsFile) throws {
    let side: Int
    if file.keys.contains("_conv_stem.weight") {
      let model = EfficientNetLite0()
      model.freeze()
      try model.load(from: file, keyMap: EfficientNetLite0.keyMap)
      side = EfficientNetLite0.pictureSize
      network = Self.network("efficientnet-lite0", EfficientNetLite0.channels, side) { model($0) }
    } else if file.keys.contains("Mixed_7c.branch_pool.conv.weight") {
      let model = InceptionV3()
      model.freeze()
      try model.load(from: file, keyMap: InceptionV3.keyMap)
      side = InceptionV3.pictureSize
      network = Self.network("inception-v3", InceptionV3.channels, side) { model($0) }
    } else {
      throw ValidationError(
        "\(file.path) holds no network that is known here: expected the tensors of "
          + "efficientnet_lite_pytorch's EfficientNet-Lite0 or of pytorch-fid's InceptionV3.")
    }
    (size, channels) = (nil, 3)
  }

  private static func network(
    _ name: String, _ channels: Int, _ side: Int, _ compute: @escaping (Tensor) -> Tensor
  ) -> FeatureNetwork {
    FeatureNetwork(
      name: name, channels: channels, batch: 16,
      check: { (set) throws(EvaluationError) in
        guard set.channels == 3 else {
          throw .wrongPictures(
            name: set.name, found: "\(set.channels) channels", network: name,
            expected: "pictures of 3 channels")
        }
      },
      compute: { compute(bilinearResized($0, height: side, width: side)) })
  }
}
