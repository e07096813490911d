extension Architecture {
    /// Every architecture there is, in the order in which people should read of them.
    public static let all: [Architecture] =
        UNet.architectures + NNUNet.architectures + Hourglass.architectures + EncoderUNet.architectures
        + ResNet.architectures + DenseNet.architectures + ThinResNet.architectures
}
