"""Files of a run: what is uploaded, kept from outputs, listed, downloaded and refused."""

from pathlib import Path

from stage import masked, run_of, said

SCRIPT = """
    import os
    os.makedirs("outputs/deep/er", exist_ok=True)
    open("outputs/deep/er/a.txt", "w").write("a")
    open("outputs/b.txt", "w").write("b")
    open("elsewhere.txt", "w").write("c")
    run.upload_file("named/c.txt", "elsewhere.txt")
    try:
        run.upload_file("named/c.txt", "elsewhere.txt")
    except Exception as error:
        print(type(error).__name__, error.message[:29])
    run.log_confusion_matrix("matrix", {"schema_type": "confusion_matrix", "schema_version": "v1", "data": {}})
"""
LOGS = ("azureml-logs/", "logs/", "system_logs/", "user_logs/")  # which there are, the service decides
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8ffff3f0005fe02fea735815a0000000049454e44ae426082"
)


def program(ws, folder):
    run = run_of(ws, folder, SCRIPT)
    print([name for name in run.get_file_names() if not name.startswith(LOGS)])
    print(run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"])
    print(masked(run, run.get_metrics()))
    run.download_file("outputs/b.txt", "got/b.txt")
    run.download_file("named/c.txt", "got")
    run.download_file("outputs/deep/er/a.txt")
    print(sorted(str(path) for path in Path("got").iterdir()), Path("a.txt").read_text())
    run.download_files(prefix="outputs", output_directory="all")
    print(sorted(path.as_posix() for path in Path("all").rglob("*") if path.is_file()))
    run.download_files(prefix="outputs/deep", output_directory="cut", append_prefix=False)
    print(sorted(path.as_posix() for path in Path("cut").rglob("*") if path.is_file()))
    print(said(lambda: run.download_file("outputs/none.txt", "x")).splitlines()[0])

    here = run.experiment.start_logging(snapshot_directory=None)
    Path("one.txt").write_text("1")
    Path("pixel.png").write_bytes(PIXEL)
    Path("folder/sub").mkdir(parents=True)
    Path("folder/sub/two.txt").write_text("2")
    Path("folder/other.png").write_bytes(PIXEL)
    here.upload_file("one.txt", "one.txt")
    print(said(lambda: here.upload_file("one.txt", "one.txt"))[:20])
    here.upload_files(["x/1.txt", "y/1.txt"], ["one.txt", "one.txt"])
    here.upload_folder("kept", "folder")
    here.log_image("image", path="pixel.png")
    here.log_image("image", path="folder/other.png")
    here.log_image("elsewhere", path=str(Path("pixel.png").absolute()))
    here.complete()
    names = here.get_file_names()
    print([name for name in names if not name.startswith(str(Path.cwd()).strip("/"))], len(names))
    print(masked(here, here.get_metrics()["image"]))
