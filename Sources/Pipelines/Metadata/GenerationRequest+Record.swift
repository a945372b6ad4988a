import Diffusion

extension GenerationRequest {
  /// What has to be asked for to get a picture again, but for the picture it was begun from and
  /// the files that its record names.
  ///
  /// - Parameters:
  ///   - record: what the picture's file says.
  ///   - size: for records that say none, as ComfyUI's of pictures made from others.
  /// - Throws: `MetadataError` naming the field that is missing or wrong.
  public init(
    _ record: GenerationRecord, sizeOtherwise size: (width: Int, height: Int)? = nil
  ) throws(MetadataError) {
    let fields = RecordFields(record: record)
    let name = try fields.text("Sampler")
    let sampler: SamplerName
    do throws(SamplerError) {
      sampler = try SamplerName(parsing: name, schedule: record["Schedule type"] ?? "")
    } catch { throw .sampler(error) }
    let size = try fields.size() ?? size
    guard let size else { throw .missing(field: "Size") }
    let defaults = GenerationDefaults(
      steps: try fields.number("Steps", "a whole number"),
      guidanceScale: try fields.number("CFG scale", "a number"), sampler: sampler.comfyUI,
      width: size.width, height: size.height)
    let seed: UInt64 = try fields.number("Seed", "a whole number from 0")
    do throws(PipelineError) {
      try self.init(prompts: [record.parameters.prompt], seeds: [seed], defaults)
    } catch {
      throw .invalid(field: "Sampler", found: sampler.comfyUI, expected: "a sampler")
    }
    self.sampler = sampler
    negativePrompt = record.parameters.negativePrompt
    likeness = try record.likeness()
    clipSkip = try fields.number("Clip skip", "a whole number", otherwise: 1)
    guidanceRescale = try fields.number("Guidance rescale", "a number", otherwise: 0)
  }
}

extension GenerationRecord {
  /// The part of the steps that was done to another picture; `nil` for pictures drawn from words,
  /// whose second pass has a strength too.
  ///
  /// - Returns: as it stands there, in any range.
  /// - Throws: `MetadataError.invalid` when it is no number.
  public func strength() throws(MetadataError) -> Double? {
    guard self["Denoising strength"] != nil, self["Hires upscale"] == nil,
      self["Hires resize"] == nil
    else { return nil }
    return try RecordFields(record: self).number("Denoising strength", "a number") as Double
  }
}

/// Reads fields as numbers.
private struct RecordFields {
  let record: GenerationRecord

  func text(_ name: String) throws(MetadataError) -> String {
    guard let value = record[name] else { throw .missing(field: name) }
    return value
  }

  func number<T: LosslessStringConvertible>(
    _ name: String, _ expected: String, otherwise: T? = nil
  ) throws(MetadataError) -> T {
    if let otherwise, record[name] == nil { return otherwise }
    let text = try text(name)
    guard let number = T(text) else {
      throw .invalid(field: name, found: text, expected: expected)
    }
    return number
  }

  /// Width and height, such as `512x768`.
  func size() throws(MetadataError) -> (width: Int, height: Int)? {
    guard let text = record["Size"] else { return nil }
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1] else {
      throw .invalid(field: "Size", found: text, expected: "width x height, such as 512x768")
    }
    return (width, height)
  }
}
