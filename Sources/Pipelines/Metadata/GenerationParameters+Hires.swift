extension GenerationParameters {
  /// The second pass that these parameters tell of, `nil` without one.
  ///
  /// - Throws: `PipelineError.invalidRequest` when it was made in a way that is not known here.
  public func hiresPass() throws(PipelineError) -> HiresPass? {
    guard let scale = try number("Hires upscale") else {
      guard let size = self["Hires resize"] else { return nil }
      throw .invalidRequest(
        "the picture was enlarged to \(size), which is not known; only enlarging by a factor is")
    }
    var hires = HiresPass(scale: scale)
    if let steps = try number("Hires steps") {
      guard let whole = Int(exactly: steps) else {
        throw .invalidRequest("Hires steps is \(steps), expected a whole number")
      }
      if whole != 0 { hires.steps = whole }
    }
    if let strength = try number("Denoising strength") { hires.strength = strength }
    if let name = self["Hires upscaler"] {
      let known = HiresPass.Upscaler.allCases
      guard let upscaler = known.first(where: { $0.a1111 == name }) else {
        throw .invalidRequest(
          "the upscaler of the second pass is \(name), known are "
            + known.map(\.a1111).joined(separator: " and "))
      }
      hires.upscaler = upscaler
    }
    return hires
  }

  private func number(_ name: String) throws(PipelineError) -> Double? {
    guard let text = self[name] else { return nil }
    guard let value = Double(text), value.isFinite else {
      throw .invalidRequest("\(name) is \"\(text)\", expected a number")
    }
    return value
  }
}

extension HiresPass {
  /// Its fields, as the web UI writes them; the strength has its place among the others.
  var fields: [GenerationParameters.Field] {
    typealias Field = GenerationParameters.Field
    return [Field("Hires upscale", Int(exactly: scale).map(String.init) ?? "\(scale)")]
      + (steps.map { [Field("Hires steps", "\($0)")] } ?? [])
      + [Field("Hires upscaler", upscaler.a1111)]
  }
}
