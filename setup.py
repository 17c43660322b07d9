"""What pyproject.toml cannot say: a wheel carries the lessons and their data inside the package."""

from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import setup
from setuptools.command.build_py import build_py


class WithLessons(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # an editable install uses the checkout's
            for folder in ("data", "notebooks"):
                skip = ignore_patterns("downloads", ".*", "__pycache__")
                copytree(folder, Path(self.build_lib, "cnnlab", f"_{folder}"), ignore=skip, dirs_exist_ok=True)


setup(cmdclass={"build_py": WithLessons})
