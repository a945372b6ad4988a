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

@Suite struct ModelConversionTests {
  private let scratch: ScratchFolder

  init() throws {
    scratch = try ScratchFolder()
  }

  @discardableResult
  private func convert(
    _ input: String, _ output: String, to form: ModelConversion.Form? = nil,
    as precision: SafetensorsEntry.Precision? = nil
  ) throws -> ModelConversion.Report {
    var conversion = ModelConversion(input: input, output: output)
    (conversion.form, conversion.precision) = (form, precision)
    if !isFolder(input), form != .singleFile, !output.hasSuffix(".safetensors") {
      conversion.options = SingleFileFixture.options
    }
    var last = (done: 0, total: -1)
    let report = try conversion.run { done, total in
      #expect(done > last.done && done <= total)
      last = (done, total)
    }
    #expect(last == (report.byteCount, report.byteCount))
    return report
  }

  /// A file, its folder and the file made of that: everything a model needs keeps every bit.
  @Test(arguments: SingleFileFixture.names)
  func bothWaysKeepEveryBit(_ name: String) throws {
    let original = try SafetensorsFile(SingleFileFixture.path(name))
    let report = try convert(original.path, scratch("folder"))
    try convert(scratch("folder"), scratch("back.safetensors"))
    let back = try SafetensorsFile(scratch("back.safetensors"))
    let isNeeded = { (key: String) in
      key.hasPrefix("model.diffusion_model.") || key.hasPrefix("first_stage_model.")
        || (key.hasPrefix("cond_stage_model.") && !key.hasSuffix("position_ids")
          && !key.hasSuffix("logit_scale") && !report.leftOut.contains(key))
    }
    #expect(back.keys == original.keys.filter(isNeeded))
    for key in back.keys {
      #expect(back.dtype(of: key) == original.dtype(of: key), "\(key)")
      #expect(back.shape(of: key) == original.shape(of: key), "\(key)")
      #expect(try back.bytes(key) == original.bytes(key), "\(key)")
    }
    #expect(report.leftOut.isEmpty == (name != "sd2"))
    #expect(report.leftOut.allSatisfy { $0.contains("resblocks.3.") || $0.contains("projection") })
    // A second round trip starts from a file without the last layer.
    try convert(scratch("back.safetensors"), scratch("again"))
    for part in ["unet", "vae", "text_encoder"] {
      for file in try scratch.names(in: "folder/\(part)") {
        #expect(
          try bytes(scratch("again/\(part)/\(file)")) == bytes(scratch("folder/\(part)/\(file)")))
      }
    }
  }

  /// diffusers refuses tensors of other shapes, even those of as many elements.
  private func expectShapes<Model: ConfiguredModule>(_ type: Model.Type, _ part: String) throws {
    let folder = scratch("folder/\(part)")
    let file = try Model.weights(folder: folder)
    let parameters = try Model.load(folder: folder).namedParameters()
    #expect(file.keys == parameters.map(\.key).sorted())
    for (key, parameter) in parameters {
      #expect(file.shape(of: key) == parameter.checkpointShape, "\(key)")
    }
  }

  @Test(arguments: SingleFileFixture.names)
  func foldersHaveTheShapesOfDiffusers(_ name: String) throws {
    try convert(SingleFileFixture.path(name), scratch("folder"))
    try expectShapes(UNet2DConditionModel.self, "unet")
    try expectShapes(AutoencoderKL.self, "vae")
    try expectShapes(CLIPTextModel.self, "text_encoder")
  }

  @Test func bothFormsDrawTheSame() throws {
    try convert(SingleFileFixture.path("sd1"), scratch("folder"))
    let pictures = try [SingleFileFixture.path("sd1"), scratch("folder")].map { path in
      let pipeline = try TextToImagePipeline.load(path, SingleFileFixture.options)
      #expect(pipeline.defaults == .stableDiffusion(side: 128))
      var request = try GenerationRequest(prompts: ["a red apple"], seeds: [1], pipeline.defaults)
      (request.width, request.height, request.steps) = (16, 16, 3)
      return try pipeline.generate(request)[0].pixels
    }
    #expect(pictures[0] == pictures[1])
  }

  @Test(arguments: SafetensorsEntry.Precision.allCases)
  func precisionsAreThoseAskedFor(_ precision: SafetensorsEntry.Precision) throws {
    try convert(SingleFileFixture.path("sd1"), scratch("m.safetensors"), as: precision)
    let (old, new) = (
      try SafetensorsFile(SingleFileFixture.path("sd1")),
      try SafetensorsFile(scratch("m.safetensors"))
    )
    #expect(new.keys == old.keys)
    for key in new.keys where !key.hasSuffix("position_ids") {
      #expect(new.dtype(of: key)?.rawValue == precision.rawValue.uppercased())
      let expected = try old.tensor(key)
      let rounded =
        switch precision {
        case .f32: expected.values
        case .f16: expected.values.map { Float(Float16($0)) }
        case .bf16: expected.cast(to: .bfloat16).values
        }
      #expect(try new.tensor(key).values == rounded, "\(key)")
    }
    let ids = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    #expect(new.dtype(of: ids) == .i64)
    try convert(SingleFileFixture.path("sd1"), scratch("folder"), as: precision)
    let unet = try SafetensorsFile(scratch("folder/unet/diffusion_pytorch_model.safetensors"))
    #expect(unet.dtype(of: "conv_in.weight")?.rawValue == precision.rawValue.uppercased())
  }

  @Test func settingsSurvive() throws {
    var conversion = ModelConversion(
      input: SingleFileFixture.path("sd2"), output: scratch("folder"))
    conversion.options = SingleFileFixture.options
    conversion.options.prediction = .v
    _ = try conversion.run()
    #expect(try TextToImagePipeline.load(folder: scratch("folder")).scheduler.predictionType == .v)
    try convert(scratch("folder"), scratch("m.safetensors"))
    let model = try SingleFileModel(CheckpointFile.open(scratch("m.safetensors")))
    #expect(try model.prediction(nil) == .v)
    #expect(model.sampleSize(.v) == 96)
  }

  @Test func torchFilesBecomeSafetensors() throws {
    let plain =
      URL(fileURLWithPath: SingleFileFixture.folder).deletingLastPathComponent()
      .deletingLastPathComponent().path + "/CheckpointsTests/Fixtures/torch/lightning.ckpt"
    try convert(plain, scratch("m.safetensors"))
    let (old, new) = (try CheckpointFile.open(plain), try SafetensorsFile(scratch("m.safetensors")))
    #expect(new.keys == old.keys)
    for key in old.keys { #expect(try new.bytes(key) == old.bytes(key), "\(key)") }
  }

  /// As before diffusers 0.17, with 1x1 kernels too, and text encoders of transformers 4.
  @Test func oldNamesAreRead() throws {
    try convert(SingleFileFixture.path("sd1"), scratch("folder"))
    let path = scratch("folder/vae/diffusion_pytorch_model.safetensors")
    let file = try SafetensorsFile(path)
    let names = ["to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"]
    let expected = try TextToImagePipeline.loadCodec(anywhere: path)
    let latents = Tensor([0.5, -0.5, 1, 2], [1, 1, 1, 4])
    let pixels = expected.decode(latents).values
    let entries = try file.keys.map { key in
      let old = names.reduce(key) { $0.replacing($1.key, with: $1.value) }
      let x = try file.tensor(key)
      let isKernel = old != key && x.rank == 2
      return SafetensorsEntry(old, isKernel ? x.reshaped(x.shape + [1, 1]) : x)
    }
    try SafetensorsWriter.write(entries, to: path)
    let old = try TextToImagePipeline.loadCodec(anywhere: path)
    #expect(old.decode(latents).values == pixels)
    try convert(scratch("folder"), scratch("m.safetensors"))
    let back = try TextToImagePipeline.loadCodec(anywhere: scratch("m.safetensors"))
    #expect(back.decode(latents).values == pixels)
  }

  @Test func shardsAndVariantsAreRead() throws {
    try convert(SingleFileFixture.path("sd1"), scratch("folder"))
    let name = scratch("folder/unet/diffusion_pytorch_model")
    let file = try SafetensorsFile(name + ".safetensors")
    var map: [String] = []
    for index in 0..<2 {
      let keys = file.keys.enumerated().filter { $0.offset % 2 == index }.map(\.element)
      let part = "diffusion_pytorch_model.fp16-0000\(index + 1)-of-00002.safetensors"
      try SafetensorsWriter.write(
        keys.map { SafetensorsEntry($0, try file.tensor($0), as: .f16) },
        to: scratch("folder/unet/\(part)"))
      map += keys.map { "\"\($0)\": \"\(part)\"" }
    }
    try FileManager.default.removeItem(atPath: name + ".safetensors")
    try scratch.write(
      "{\"weight_map\": {\(map.joined(separator: ","))}}",
      to: "folder/unet/diffusion_pytorch_model.safetensors.index.fp16.json")
    try convert(scratch("folder"), scratch("m.safetensors"))
    let model = try SingleFileModel(CheckpointFile.open(scratch("m.safetensors")))
    #expect(model.unet.keys == file.keys)
    // Another precision of a folder keeps everything beside the weights.
    try convert(scratch("folder"), scratch("other"), as: .bf16)
    #expect(
      try scratch.names(in: "other/unet") == ["config.json", "diffusion_pytorch_model.safetensors"])
    #expect(try scratch.names(in: "other") == scratch.names(in: "folder"))
    _ = try TextToImagePipeline.load(folder: scratch("other"))
  }

  @Test(arguments: ["\"layers_per_block\" : 1", "\"sample_size\" : 64"])
  func settingsBeyondReasonDoNoHarm(_ setting: String) throws {
    try convert(SingleFileFixture.path("sd1"), scratch("folder"))
    let path = scratch("folder/unet/config.json")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(setting))
    let huge = setting.prefix { $0 != ":" } + ": 9007199254740992"
    try text.replacing(setting, with: huge).write(toFile: path, atomically: true, encoding: .utf8)
    _ = try? convert(scratch("folder"), scratch("m.safetensors"))
    _ = try? TextToImagePipeline.load(scratch("folder"))
  }

  @Test func settingsThatAFileCannotTellAreRefused() throws {
    try convert(SingleFileFixture.path("sd1"), scratch("folder"))
    let path = scratch("folder/unet/config.json")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try text.replacing("\"attention_head_dim\" : 8", with: "\"attention_head_dim\" : 4")
      .write(toFile: path, atomically: true, encoding: .utf8)
    let refusal = message { try convert(scratch("folder"), scratch("m.safetensors")) }
    #expect(refusal.contains("\"attention_head_dim\" is 4"), "\(refusal)")
    #expect(!FileManager.default.fileExists(atPath: scratch("m.safetensors")))
  }

  /// As in a cache of Hugging Face, where the files of a model are links.
  @Test func linksAreFollowedAndSlashesDoNoHarm() throws {
    let files = FileManager.default
    try convert(SingleFileFixture.path("sd1"), scratch("real//"))
    try files.createDirectory(atPath: scratch("links"), withIntermediateDirectories: true)
    for name in try scratch.names(in: "real") {
      try files.createSymbolicLink(
        atPath: scratch("links/\(name)"), withDestinationPath: "../real/\(name)")
    }
    try convert(scratch("links"), scratch("new/"))
    #expect(try scratch.names(in: "") == ["links", "new", "real"])
    for inside in ["real/new", "links/unet/new", "real/unet/new/newer"] {
      let refusal = message { try convert(scratch("real"), scratch(inside)) }
      #expect(refusal.contains("inside of"), "\(refusal)")
    }
    try files.createSymbolicLink(
      atPath: scratch("links/circle"), withDestinationPath: "../links")
    #expect(message { try convert(scratch("links"), scratch("x")) }.contains("circle"))
    try files.removeItem(atPath: scratch("real"))
    _ = try TextToImagePipeline.load(folder: scratch("new"))
  }

  @Test(arguments: [
    ("file", "m.safetensors"), ("folder", "m.safetensors"), ("folder", "other"),
  ])
  func choicesWithoutEffectAreRefused(_ input: String, _ output: String) throws {
    try convert(SingleFileFixture.path("sd1"), scratch("folder"))
    let choices: [(inout LoadingOptions) -> Void] = [
      { $0.weights = .average }, { $0.prediction = .v }, { $0.tokenizer = "t" },
    ]
    for choose in choices {
      var conversion = ModelConversion(
        input: input == "file" ? SingleFileFixture.path("sd1") : scratch("folder"),
        output: scratch(output))
      choose(&conversion.options)
      #expect(message { _ = try conversion.run() }.contains("no effect"))
    }
    #expect(try scratch.names(in: "") == ["folder"])
  }

  @Test func whatCannotBeDoneLeavesNothing() throws {
    try SafetensorsWriter.write(
      [SafetensorsEntry("a", Tensor([1, 1e6], [2]))], to: scratch("large.safetensors"))
    let large = message {
      try convert(scratch("large.safetensors"), scratch("m.safetensors"), as: .f16)
    }
    #expect(large.contains("65504"))
    try SafetensorsWriter.write(
      [SafetensorsEntry("lora_unet_a.lora_up.weight", Tensor(1))], to: scratch("lora.safetensors"))
    let adapter = message { try convert(scratch("lora.safetensors"), scratch("m.safetensors")) }
    #expect(adapter.contains("LoRA"))
    #expect(message { try convert(scratch("large.safetensors"), scratch("f")) }.contains("prefix"))
    try scratch.write("", to: "taken/file")
    let taken = message { try convert(SingleFileFixture.path("sd1"), scratch("taken")) }
    #expect(taken.contains("exists already"))
    #expect(try scratch.names(in: "") == ["large.safetensors", "lora.safetensors", "taken"])
  }
}

private func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}

extension GenerationDefaults {
  fileprivate static func stableDiffusion(side: Int) -> GenerationDefaults {
    var defaults = stableDiffusion
    (defaults.width, defaults.height) = (side, side)
    return defaults
  }
}
