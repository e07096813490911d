import ArgumentParser

/// What every command on volume files takes.
struct ReadingOptions: ParsableArguments {
    @Flag(help: "Open files outside its folder that an HDF5 file names.")
    var allowExternalLinks = false
}
