import Checkpoints
import ComputeCore
import Diffusion
import Foundation
import ImageIO
import Layers
import Models
import Pipelines
import TestSupport
import Testing

/// Files with the original names of Stable Diffusion 1, its inpainting model and version 2.
///
/// See scripts/fixtures/checkpoints.py; diffusers converted them back to what they were made from.
enum SingleFileFixture {
  static let names = ["sd1", "sd1_inpainting", "sd2"]
  static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().path + "/Fixtures"

  static func path(_ name: String) -> String { "\(folder)/single_file/\(name).safetensors" }
  static let tokenizer = folder + "/stable_diffusion/tokenizer"

  /// Options that a file without a tokenizer for its small vocabulary needs.
  static var options: LoadingOptions {
    var options = LoadingOptions()
    options.tokenizer = tokenizer
    options.prediction = .epsilon
    return options
  }
}

@Suite struct SingleFileModelTests {
  private func io(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile("\(SingleFileFixture.folder)/single_file/\(name).io.safetensors")
  }

  private func model(_ name: String) throws -> SingleFileModel {
    try SingleFileModel(CheckpointFile.open(SingleFileFixture.path(name)))
  }

  @Test(arguments: SingleFileFixture.names)
  func theUNetEqualsDiffusers(_ name: String) throws {
    let (file, io) = (try model(name), try io(name))
    let unet = try UNet2DConditionModel.load(
      file.unetConfig, from: file.unet, settingsFrom: name, isFrozen: true)
    let y = unet(
      try io.tensor("sample"), timesteps: [37],
      encoderHiddenStates: try io.tensor("encoder_hidden_states"))
    expectClose(y, try io.tensor("y"), tolerance: 5e-6)
    #expect(unet.config.isForInpainting == (name == "sd1_inpainting"))
  }

  @Test(arguments: SingleFileFixture.names)
  func theAutoencoderEqualsDiffusers(_ name: String) throws {
    let (file, io) = (try model(name), try io(name))
    let vae = try AutoencoderKL.load(
      #require(file.autoencoderConfig), from: file.autoencoder, settingsFrom: name)
    let picture = vae.decode(try io.tensor("z"))
    expectClose(picture, try io.tensor("decoded"), tolerance: 5e-6)
    expectClose(
      vae.encode(picture.clamped(to: -1...1)).mean, try io.tensor("mean"), tolerance: 2e-5)
  }

  /// For Stable Diffusion 2 that is the last layer but one of the file, after the final norm.
  @Test(arguments: SingleFileFixture.names)
  func theTextEncoderEqualsTransformers(_ name: String) throws {
    let (file, io) = (try model(name), try io(name))
    let encoder = try CLIPTextModel.load(
      #require(file.textEncoderConfig), from: file.textEncoder, settingsFrom: name)
    let flat = try io.int32s("input_ids")
    let output = encoder([Array(flat[..<77]), Array(flat[77...])])
    expectClose(
      output.lastHiddenState, try io.tensor("last_hidden_state"), tolerance: 5e-6)
    #expect(encoder.config.numHiddenLayers == 3)
  }

  @Test func averagesAreUsedOnlyWhenAskedFor() throws {
    let source = try CheckpointFile.open(SingleFileFixture.path("sd1"))
    let trained = try SingleFileModel(source).unet
    let average = try SingleFileModel(source, weights: .average).unet
    #expect(trained.keys == average.keys)
    for key in trained.keys {
      #expect(try average.tensor(key).values == trained.tensor(key).values.map { 2 * $0 }, "\(key)")
    }
    let without = try CheckpointFile.open(SingleFileFixture.path("sd2"))
    #expect(throws: CheckpointError.self) { try SingleFileModel(without, weights: .average) }
  }

  @Test func whatTheDenoiserPutsOutFollowsFromTheFile() throws {
    #expect(try model("sd1").prediction(nil) == .epsilon)
    #expect(try model("sd1").prediction(.v) == .v)
    #expect(try model("sd1_inpainting").prediction(nil) == .epsilon)
    let scratch = try ScratchFolder()
    let source = try CheckpointFile.open(SingleFileFixture.path("sd2"))
    func prediction(_ metadata: [String: String], name: String = "m.safetensors") throws
      -> PredictionType
    {
      let entries = try source.keys.map { SafetensorsEntry($0, try source.tensor($0)) }
      try SafetensorsWriter.write(entries, metadata: metadata, to: scratch(name))
      return try SingleFileModel(CheckpointFile.open(scratch(name))).prediction(nil)
    }
    #expect(try prediction(["modelspec.prediction_type": "v"]) == .v)
    #expect(try prediction(["modelspec.prediction_type": "epsilon"]) == .epsilon)
    #expect(try prediction([:], name: "sd_turbo.safetensors") == .epsilon)
  }

  /// A denoiser whose output is the noise, or far below it as a velocity is, tells which it is.
  @Test(arguments: [(Float(0.5), false), (-2, true)])
  func anExperimentTellsVelocities(_ constant: Float, _ isVelocity: Bool) throws {
    let file = try model("sd2")
    let unet = try UNet2DConditionModel.load(file.unetConfig, from: file.unet, settingsFrom: "")
    for (key, parameter) in unet.namedParameters() where key.hasPrefix("conv_out.") {
      parameter.value = Tensor(repeating: key.hasSuffix("bias") ? constant : 0, parameter.shape)
    }
    #expect(SingleFileModel.predictsVelocity(unet) == isVelocity)
  }

  @Test func otherKindsOfModelsAreNamed() throws {
    let scratch = try ScratchFolder()
    for (key, expected) in [
      ("conditioner.embedders.0.x", "Stable Diffusion XL"), ("double_blocks.0.x", "Flux"),
      ("model.diffusion_model.joint_blocks.0.x", "Stable Diffusion 3"),
      ("control_model.x", "ControlNet"), ("lora_unet_x.lora_up.weight", "LoRA"), ("x", "prefix"),
    ] {
      try SafetensorsWriter.write([SafetensorsEntry(key, Tensor(1))], to: scratch("m.safetensors"))
      let text = message { _ = try TextToImagePipeline.load(scratch("m.safetensors")) }
      #expect(text.contains(expected), "\(text)")
    }
  }

  @Test func aWholePipelineLoadsAndDraws() throws {
    let pipeline = try TextToImagePipeline.load(
      SingleFileFixture.path("sd1"), SingleFileFixture.options)
    #expect(pipeline.name == "sd1" && pipeline.codec.pixelsPerLatent == 2)
    var request = try GenerationRequest(prompts: ["a red apple"], seeds: [1], pipeline.defaults)
    (request.width, request.height, request.steps) = (16, 16, 2)
    #expect(try pipeline.generate(request)[0].width == 16)
    let inpainting = try TextToImagePipeline.load(
      SingleFileFixture.path("sd1_inpainting"), SingleFileFixture.options)
    #expect(message { try inpainting.validate(request) }.contains("inpainting"))
  }

  /// Tensors that tell a size are said, one at a time, to have 2^62 rows of nothing.
  @Test func shapesBeyondReasonAreRefused() throws {
    let scratch = try ScratchFolder()
    let keys = try CheckpointFile.open(SingleFileFixture.path("sd2")).keys
    var options = SingleFileFixture.options
    let telling = [
      "input_blocks.0.0.weight", "out.2.weight", "0.attn2.to_k.weight", "proj_in.weight",
      "token_embedding.weight", "positional_embedding", "in_proj_weight", "c_fc.weight",
      "encoder.conv_in.weight", "decoder.conv_in.weight", "decoder.conv_out.weight",
      "post_quant_conv.weight", "text_projection",
    ]
    for key in keys where telling.contains(where: key.hasSuffix) {
      let source = try CheckpointFile.open(SingleFileFixture.path("sd2"))
      let entries = try source.keys.map { name in
        name == key
          ? SafetensorsEntry(name, bytes: [], [1 << 62, 0, 3], .u8)
          : SafetensorsEntry(name, try source.tensor(name), as: .f16)
      }
      try SafetensorsWriter.write(entries, to: scratch("m.safetensors"))
      options.prediction = .epsilon
      let text = message { _ = try TextToImagePipeline.load(scratch("m.safetensors"), options) }
      let isIgnored = ["alphas_cumprod", "logit_scale", "text_projection", "resblocks.3."]
        .contains { key.contains($0) }
      #expect((text == "no error") == isIgnored, "\(key): \(text)")
      var conversion = ModelConversion(input: scratch("m.safetensors"), output: scratch("folder"))
      conversion.options = options
      _ = try? conversion.run()
      try? FileManager.default.removeItem(atPath: scratch("folder"))
    }
  }

  @Test func namesOfTurboModelsMeanOneStep() throws {
    let scratch = try ScratchFolder()
    let path = scratch("sd_turbo.safetensors")
    try FileManager.default.copyItem(atPath: SingleFileFixture.path("sd2"), toPath: path)
    var options = SingleFileFixture.options
    options.prediction = nil
    let pipeline = try TextToImagePipeline.load(path, options)
    #expect(pipeline.defaults.steps == 1 && pipeline.defaults.guidanceScale == 1)
    #expect(pipeline.scheduler.timestepSpacing == .trailing)
    #expect(pipeline.scheduler.predictionType == .epsilon)
  }

  @Test func theTokenizerBesideAFileIsUsed() throws {
    let scratch = try ScratchFolder()
    try FileManager.default.copyItem(
      atPath: SingleFileFixture.path("sd1"), toPath: scratch("m.safetensors"))
    try FileManager.default.copyItem(
      atPath: SingleFileFixture.tokenizer, toPath: scratch("tokenizer"))
    #expect(try TextToImagePipeline.load(scratch("m.safetensors")).conditioner.tokens == 77)
  }

  @Test func aTokenizerWithMoreTokensThanTheEncoderIsRefused() throws {
    let text = message { _ = try TextToImagePipeline.load(SingleFileFixture.path("sd1")) }
    #expect(text.contains("\"vocab_size\" is 634; supported: 49408 or more"), "\(text)")
  }

  @Test func otherAutoencodersTakeThePlaceOfTheFiles() throws {
    let scratch = try ScratchFolder()
    let source = try CheckpointFile.open(SingleFileFixture.path("sd1_inpainting"))
    let prefix = "first_stage_model."
    let entries = try source.keys.filter { $0.hasPrefix(prefix) }.map {
      SafetensorsEntry(String($0.dropFirst(prefix.count)), try source.tensor($0))
    }
    try SafetensorsWriter.write(entries, to: scratch("vae.safetensors"))
    let expected = try TextToImagePipeline.loadCodec(anywhere: source.path)
    let latents = Tensor([0.5, -0.5, 1, 2], [1, 1, 1, 4])
    let bare = try TextToImagePipeline.loadCodec(anywhere: scratch("vae.safetensors"))
    #expect(bare.decode(latents).values == expected.decode(latents).values)
    let tiny =
      URL(fileURLWithPath: SingleFileFixture.folder).deletingLastPathComponent()
      .deletingLastPathComponent().path + "/ModelsTests/Fixtures/vae_tiny"
    for path in [tiny, tiny + "/diffusion_pytorch_model.safetensors"] {
      var options = SingleFileFixture.options
      options.autoencoder = path
      let pipeline = try TextToImagePipeline.load(SingleFileFixture.path("sd1"), options)
      #expect(pipeline.codec.pixelsPerLatent == 4)
      #expect(pipeline.codec.decode(latents).shape == [1, 4, 4, 3])
    }
  }
}
