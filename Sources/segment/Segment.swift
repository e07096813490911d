import ArgumentParser

@main
struct Segment: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Turn 3D microscope volumes into labelled volumes.")
}
