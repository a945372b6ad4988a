import Checkpoints
import Diffusion
import Foundation
import Models

/// Rewrites models: from a folder of diffusers to a single file and back, and in another precision.
///
/// Tensors are copied in portions, so that a model never is in memory; where their type stays they
/// keep every bit. The result appears complete or not at all.
public struct ModelConversion {
  /// How a model is kept.
  public enum Form: String, Sendable, CaseIterable {
    /// A folder with a model in each folder inside.
    case diffusers
    /// One safetensors file with the original names.
    case singleFile = "single-file"
  }

  /// What was done.
  public struct Report: Sendable {
    /// How the result is kept.
    public let form: Form
    /// Tensors written.
    public let tensors: Int
    /// Bytes of all of them.
    public let byteCount: Int
    /// Names of tensors that the new form has no place for.
    public let leftOut: [String]
  }

  /// The file or folder to read.
  public var input: String
  /// The file or folder to make.
  public var output: String
  /// How the result is kept; `nil` goes by the output's name.
  public var form: Form?
  /// Type of the result's floating-point tensors; `nil` leaves each as it is.
  public var precision: SafetensorsEntry.Precision?
  /// Choices that a single file leaves; refused where they have no effect.
  public var options = LoadingOptions()

  /// A conversion that keeps types and goes by the output's name.
  public init(input: String, output: String) {
    (self.input, self.output) = (input, output)
  }

  /// Converts.
  ///
  /// - Parameter progress: gets the bytes written so far and those of the whole result.
  /// - Returns: what was written.
  /// - Throws: `PipelineError`, naming the file and what is wrong with it.
  public func run(
    progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(PipelineError) -> Report {
    let form = self.form ?? (output.hasSuffix(".safetensors") ? .singleFile : .diffusers)
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: input, isDirectory: &isFolder)
    try checkOptions(areUsed: !isFolder.boolValue && form == .diffusers)
    do throws(CheckpointError) {
      let writing: ModelWriting
      if isFolder.boolValue {
        writing =
          form == .singleFile
          ? try ModelFolder(input).singleFile() : try ModelFolder(input).folder()
      } else {
        let source = try CheckpointFile.open(input)
        writing =
          form == .singleFile
          ? try ModelWriting(copyOf: source) : try folder(of: source)
      }
      try writing.write(to: output, as: precision, progress: progress)
      let files = writing.files
      return Report(
        form: form, tensors: files.reduce(0) { $0 + $1.source.keys.count },
        byteCount: files.reduce(0) { $0 + $1.byteCount(as: precision) }, leftOut: writing.leftOut)
    } catch {
      throw .checkpoint(error)
    }
  }

  /// Refuses choices that would have no effect.
  private func checkOptions(areUsed: Bool) throws(PipelineError) {
    var given: [String] = options.autoencoder == nil ? [] : ["Another VAE"]
    if !areUsed {
      if options.weights != .trained { given.append("A choice of averaged weights") }
      if options.prediction != nil { given.append("A prediction type") }
      if options.tokenizer != nil { given.append("A tokenizer") }
    }
    guard let first = given.first else { return }
    throw .invalidRequest(
      "\(first) has no effect on this conversion of \(input), only where a single file becomes a "
        + "folder. Leave it out.")
  }

  /// A single file as a folder of diffusers.
  private func folder(of source: any TensorSource) throws(CheckpointError) -> ModelWriting {
    let model = try SingleFileModel(source, weights: options.weights)
    guard let autoencoder = model.autoencoderConfig, let textEncoder = model.textEncoderConfig
    else {
      throw .malformed(
        file: input, found: "no \(model.autoencoderConfig == nil ? "VAE" : "text encoder")",
        expected: "a whole model; a part alone cannot become a folder")
    }
    let prediction = try model.prediction(options.prediction)
    var unet = model.unetConfig
    unet.sampleSize = .one(model.sampleSize(prediction))
    var writing = ModelWriting()
    writing.isFolder = true
    writing.files = [
      .init(name: "unet/\(UNet2DConditionModel.weightsName).safetensors", source: model.unet),
      .init(name: "vae/\(AutoencoderKL.weightsName).safetensors", source: model.autoencoder),
      .init(
        name: "text_encoder/\(CLIPTextModel.weightsName).safetensors", source: model.textEncoder),
    ]
    writing.leftOut = model.checkpoint.leftOutOfDiffusers()
    writing.settings = { folder throws(CheckpointError) in
      try ConfigFile.encode(unet, to: folder + "/unet/config.json")
      try ConfigFile.encode(autoencoder, to: folder + "/vae/config.json")
      try ConfigFile.encode(textEncoder, to: folder + "/text_encoder/config.json")
      try DiffusersIndex(isForInpainting: unet.isForInpainting, isTurbo: model.isTurbo)
        .write(prediction: prediction, to: folder)
      try SingleFileTokenizer(for: model, given: options.tokenizer).copy(to: folder + "/tokenizer")
    }
    return writing
  }
}
